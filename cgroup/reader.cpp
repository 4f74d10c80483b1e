#include "cgroup/reader.h"

#include <fcntl.h>

#include "held_file.h"
#include "held_files.h"
#include "text.h"
#include "v1/files.h"
#include "v2/files.h"

namespace oomdrill::cgroup {
namespace {

struct VmStat {
  Count oom_kill;
};
constexpr Field<VmStat> kVmStatFields[] = {{"oom_kill", &VmStat::oom_kill}};  // kernel 4.13

}  // namespace

Reader::Reader(Location location, std::unique_ptr<const HeldFiles> files)
    : location_(std::move(location)), files_(std::move(files)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

Result<Reader> Reader::open(const FileRoot& root, const Location& location) {
  auto files = location.version == Version::v1 ? v1::open_files(root, location)
                                               : v2::open_files(root, location);
  if (!files) return fail(std::move(files.error()));
  Reader reader(location, std::move(*files));
  Sample sample;
  if (auto r = reader.read(sample); !r) return fail(std::move(r.error()));
  return reader;
}

Result<void> Reader::read(Sample& sample, Parts parts) const {
  Sample fresh;
  auto result = files_->read(fresh, parts);
  if (result) sample = fresh;
  return result;
}

Result<void> Reader::read_counters(Sample& sample) const {
  Sample fresh;
  auto result = files_->read_counters(fresh);
  if (result) {
    sample.own = fresh.own;
    sample.hierarchical = fresh.hierarchical;
  }
  return result;
}

int Reader::events_fd() const { return files_->events_fd(); }

Result<HostOomCounter> HostOomCounter::open(const FileRoot& root) {
  auto fd = open_file(root / "/proc/vmstat", O_RDONLY);
  if (!fd) return fail(std::move(fd.error()));
  HostOomCounter counter;
  counter.fd_ = std::move(*fd);
  return counter;
}

Count HostOomCounter::read() const {
  Buffer buffer;
  const std::ptrdiff_t n = pread_all(fd_.get(), buffer);
  if (n < 0) return std::nullopt;
  VmStat vmstat;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(n));
  if (!parse_keyed<VmStat>(text, "/proc/vmstat", kVmStatFields, vmstat)) return std::nullopt;
  return vmstat.oom_kill;
}

}  // namespace oomdrill::cgroup
