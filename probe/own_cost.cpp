#include "own_cost.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

namespace oomdrill::probe {

OwnCost::OwnCost() {
  if (auto statm = open_file("/proc/self/statm", O_RDONLY)) statm_ = std::move(*statm);
}

cgroup::Bytes OwnCost::rss() const {
  if (!statm_) return std::nullopt;
  std::array<char, 128> buffer;
  const auto size = pread_all(statm_.get(), buffer);
  if (size <= 0) return std::nullopt;
  // The second number, in pages.
  std::string_view text(buffer.data(), static_cast<std::size_t>(size));
  text.remove_prefix(std::min(text.find(' '), text.size() - 1) + 1);
  std::uint64_t pages = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), pages).ec != std::errc{}) {
    return std::nullopt;
  }
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

double OwnCost::cpu_s() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto in_seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime);
}

}  // namespace oomdrill::probe
