#include <unistd.h>

#include <algorithm>
#include <utility>

#include "cgroup/reader.h"
#include "source/host.h"
#include "source/source.h"

namespace oomdrill::probe {
namespace {

class CgroupSource final : public Source {
 public:
  CgroupSource(FileRoot root, cgroup::Location location, cgroup::Reader reader,
               std::vector<cgroup::LimitCandidate> endpoint)
      : root_(std::move(root)),
        reader_(std::move(reader)),
        host_(root_),
        endpoint_(std::move(endpoint)) {
    subject_.location = std::move(location);
    subject_.counters_trusted = !is_gvisor(root_);
    const auto page = static_cast<std::uint64_t>(std::max(::sysconf(_SC_PAGESIZE), 1L));
    const auto cpus = static_cast<std::uint64_t>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L));
    subject_.charge_slack = 64 * page * cpus;
  }

  Result<void> open() {
    cgroup::Sample sample;
    if (auto done = reader_.read(sample); !done) return done;
    own_limit_ = sample.limit;
    return resolve();
  }

  Result<void> read(Reading& reading) override {
    auto done = reader_.read(reading.sample);
    if (!done) return done;
    host_.read(reading);
    if (reading.sample.limit != own_limit_) {
      own_limit_ = reading.sample.limit;
      if (auto result = resolve(); !result) return result;
    }
    reading.has_sample = true;
    const bool binds = subject_.limit.is_cgroup_limit();
    reading.limit = binds ? subject_.limit.bytes : std::nullopt;
    reading.limit_source = subject_.limit.source;
    return {};
  }

  Result<void> read_counters(Reading& reading) override {
    // The host's after the cgroup's, since the kernel raises it first.
    auto done = reader_.read_counters(reading.sample);
    host_.read_kills(reading);
    return done;
  }

  [[nodiscard]] int events_fd() const override { return reader_.events_fd(); }
  [[nodiscard]] const Subject& subject() const override { return subject_; }

 private:
  /// The own limit says when to look at all of them again: raising it may bring an ancestor's to
  /// bear. This opens files and allocates, which is why it is not done at every look.
  Result<void> resolve() {
    auto candidates = cgroup::collect_limits(root_, *subject_.location);
    if (!candidates) return fail(candidates.error());
    candidates->insert(candidates->end(), endpoint_.begin(), endpoint_.end());
    for (const auto& candidate : *candidates) {
      if (candidate.source == cgroup::LimitSource::host) subject_.host_bytes = candidate.bytes;
    }
    subject_.limit =
        cgroup::resolve_limit(std::move(*candidates), subject_.location->ancestors_hidden);
    subject_.outer_limit = least_outer_limit(subject_.limit.considered);
    return {};
  }

  FileRoot root_;
  cgroup::Reader reader_;
  Host host_;
  std::vector<cgroup::LimitCandidate> endpoint_;
  Subject subject_;
  cgroup::Bytes own_limit_;
};

}  // namespace

cgroup::Bytes least_outer_limit(const std::vector<cgroup::LimitCandidate>& considered) {
  using cgroup::LimitSource;
  cgroup::Bytes own;
  for (const auto& candidate : considered) {
    if (candidate.source == LimitSource::own) own = candidate.bytes;
  }
  cgroup::Bytes least;
  for (const auto& candidate : considered) {
    const bool outer = candidate.source == LimitSource::ancestor ||
                       candidate.source == LimitSource::ecs_task ||
                       (candidate.source == LimitSource::hierarchical &&
                        (!own || (candidate.bytes && *candidate.bytes < *own)));
    if (outer && candidate.bytes && (!least || *candidate.bytes < *least)) least = candidate.bytes;
  }
  return least;
}

Result<std::unique_ptr<Source>> open_cgroup(const FileRoot& root, const cgroup::Location& location,
                                            std::vector<cgroup::LimitCandidate> endpoint) {
  auto reader = cgroup::Reader::open(root, location);
  if (!reader) return fail(reader.error());
  auto source =
      std::make_unique<CgroupSource>(root, location, std::move(*reader), std::move(endpoint));
  if (auto done = source->open(); !done) return fail(done.error());
  return source;
}

}  // namespace oomdrill::probe
