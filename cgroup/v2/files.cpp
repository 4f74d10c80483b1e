#include "v2/files.h"

#include "held_file.h"
#include "pressure.h"
#include "v2/names.h"
#include "v2/parse.h"

namespace oomdrill::cgroup::v2 {
namespace {

struct Files final : HeldFiles {
  HeldFile usage;
  HeldFile peak;
  HeldFile limit;
  HeldFile soft_limit;
  HeldFile swap;
  HeldFile stat;
  HeldFile events;
  HeldFile events_local;
  HeldFile pressure;

  Result<void> read(Sample& sample, Reader::Parts parts) const override;
  Result<void> read_counters(Sample& sample) const override;
  [[nodiscard]] int events_fd() const override { return events.fd(); }
};

Result<void> read_pressure(const HeldFile& file, std::optional<Pressure>& out) {
  Buffer buffer;
  const auto text = read_present(file, buffer);
  if (!text) return fail(text.error());
  if (!*text) return {};
  const auto parsed = parse_pressure(**text, file.path());
  if (!parsed) return fail(parsed.error());
  out = *parsed;
  return {};
}

Result<void> Files::read(Sample& sample, Reader::Parts parts) const {
  const auto current = usage.read_number();
  if (!current) return fail(current.error());
  sample.current = *current;
  if (auto r = number_into(peak, sample.peak); !r) return r;
  if (auto r = number_into(swap, sample.swap); !r) return r;
  if (auto r = limit_into(limit, sample.limit); !r) return r;
  if (auto r = limit_into(soft_limit, sample.soft_limit); !r) return r;
  // The default, which protects nothing.
  if (sample.soft_limit == 0U) sample.soft_limit.reset();
  if (parts.stat) {
    if (auto r = parse_into(stat, parse_stat, sample.stat); !r) return r;
    sample.has_stat = stat.valid();
  }
  if (parts.pressure) {
    if (auto r = read_pressure(pressure, sample.pressure); !r) return r;
  }
  return read_counters(sample);
}

Result<void> Files::read_counters(Sample& sample) const {
  sample.own = {};
  sample.hierarchical = {};
  if (auto r = parse_into(events, parse_events, sample.hierarchical); !r) return r;
  return parse_into(events_local, parse_events, sample.own);
}

}  // namespace

Result<std::unique_ptr<const HeldFiles>> open_files(const FileRoot& root,
                                                    const Location& location) {
  const auto path = [&](std::string_view file) {
    return root / location.directory + "/" + std::string(file);
  };
  if (location.is_root) {
    return fail("is the root cgroup, which has no usage and no limit of its own",
                location.directory, "run in a container with a memory limit");
  }
  auto files = std::make_unique<Files>();
  auto usage = HeldFile::open(path(kUsage));
  if (!usage) return fail(std::move(usage.error()));
  files->usage = std::move(*usage);

  const struct {
    HeldFile& file;
    std::string_view name;
  } optional[] = {{files->peak, kPeak},
                  {files->limit, kLimit},
                  {files->soft_limit, kSoftLimit},
                  {files->swap, kSwapUsage},
                  {files->stat, kStat},
                  {files->events, kEvents},
                  {files->events_local, kEventsLocal},
                  {files->pressure, kPressure}};
  for (const auto& [file, name] : optional) {
    auto opened = HeldFile::open_optional(path(name));
    if (!opened) return fail(std::move(opened.error()));
    file = std::move(*opened);
  }
  return files;
}

}  // namespace oomdrill::cgroup::v2
