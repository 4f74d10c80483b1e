#include "cgroup/reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "held_file.h"
#include "held_files.h"
#include "text.h"
#include "v1/files.h"
#include "v1/names.h"
#include "v1/parse.h"
#include "v2/files.h"
#include "v2/names.h"
#include "v2/parse.h"

namespace oomdrill::cgroup {
namespace {

/// Not parsed line by line: it has some 180 of them, and is read at each look.
Count find_oom_kill(std::string_view vmstat) {
  constexpr std::string_view kKey = "oom_kill ";  // kernel 4.13
  for (auto at = vmstat.find(kKey); at != std::string_view::npos; at = vmstat.find(kKey, at + 1)) {
    if (at != 0 && vmstat[at - 1] != '\n') continue;
    std::string_view rest = vmstat.substr(at + kKey.size());
    return to_number(cut(rest, '\n'));
  }
  return std::nullopt;
}

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

Result<Stat> parse_stat(std::string_view text, Version version) {
  if (version == Version::v2) return v2::parse_stat(text, v2::kStat);
  const auto file = v1::parse_stat(text, v1::kStat);
  if (!file) return fail(file.error());
  return file->stat;
}

Result<HostOomCounter> HostOomCounter::open(const FileRoot& root) {
  auto fd = open_file(root / "/proc/vmstat", O_RDONLY);
  if (!fd) return fail(std::move(fd.error()));
  HostOomCounter counter;
  counter.fd_ = std::move(*fd);
  return counter;
}

Count HostOomCounter::read() const {
  // Of many records, unlike a cgroup's files: the kernel gives a page of it at a time.
  Buffer buffer;
  std::size_t used = 0;
  while (used < buffer.size()) {
    const auto n =
        ::pread(fd_.get(), buffer.data() + used, buffer.size() - used, static_cast<off_t>(used));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) return find_oom_kill({buffer.data(), used});
    used += static_cast<std::size_t>(n);
    const std::string_view text(buffer.data(), used);
    // Whole lines only.
    if (const auto count = find_oom_kill(text.substr(0, text.rfind('\n') + 1))) return count;
  }
  return std::nullopt;
}

}  // namespace oomdrill::cgroup
