#include "v1/files.h"

#include "held_file.h"
#include "v1/names.h"
#include "v1/parse.h"

namespace oomdrill::cgroup::v1 {
namespace {

struct Files final : HeldFiles {
  HeldFile usage;
  HeldFile peak;
  HeldFile limit;
  HeldFile soft_limit;
  HeldFile memory_and_swap;
  HeldFile kernel;
  HeldFile stat;
  HeldFile oom_control;
  HeldFile limit_hits;

  Result<void> read(Sample& sample, Reader::Parts parts) const override;
  Result<void> read_counters(Sample& sample) const override;
  [[nodiscard]] int events_fd() const override { return -1; }
};

Result<void> Files::read(Sample& sample, Reader::Parts parts) const {
  const auto current = usage.read_number();
  if (!current) return fail(current.error());
  sample.current = *current;
  if (auto r = number_into(peak, sample.peak); !r) return r;
  if (auto r = limit_into(limit, sample.limit); !r) return r;
  if (auto r = limit_into(soft_limit, sample.soft_limit); !r) return r;
  if (parts.stat) {
    StatFile parsed;
    if (auto r = parse_into(stat, parse_stat, parsed); !r) return r;
    if (auto r = number_into(kernel, parsed.stat.kernel); !r) return r;
    sample.stat = parsed.stat;
    sample.swap = parsed.swap;
    sample.has_stat = stat.valid();
  }
  if (!sample.swap) {
    // Second best: two files, between which pages come and go.
    Bytes both;
    if (auto r = number_into(memory_and_swap, both); !r) return r;
    if (both) sample.swap = *both > *current ? *both - *current : 0;
  }
  return read_counters(sample);
}

Result<void> Files::read_counters(Sample& sample) const {
  sample.own = {};
  sample.hierarchical = {};
  if (auto r = parse_into(oom_control, parse_oom_control, sample.own); !r) return r;
  return number_into(limit_hits, sample.own.max);
}

}  // namespace

Result<std::unique_ptr<const HeldFiles>> open_files(const FileRoot& root,
                                                    const Location& location) {
  const auto path = [&](std::string_view file) {
    return root / location.directory + "/" + std::string(file);
  };
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
                  {files->memory_and_swap, kMemoryAndSwapUsage},
                  {files->kernel, kKernelUsage},
                  {files->stat, kStat},
                  {files->oom_control, kOomControl},
                  {files->limit_hits, kLimitHits}};
  for (const auto& [file, name] : optional) {
    auto opened = HeldFile::open_optional(path(name));
    if (!opened) return fail(std::move(opened.error()));
    file = std::move(*opened);
  }
  return files;
}

}  // namespace oomdrill::cgroup::v1
