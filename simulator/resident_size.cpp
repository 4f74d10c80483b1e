#include "resident_size.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

namespace oomdrill::simulator {

ResidentSize::ResidentSize(const FileRoot& root) {
  if (auto fd = open_file(root / "/proc/self/statm", O_RDONLY)) fd_ = std::move(*fd);
}

std::optional<std::uint64_t> ResidentSize::read() const {
  std::array<char, 128> text;
  const auto size = fd_ ? pread_all(fd_.get(), text) : -1;
  if (size <= 0) return std::nullopt;
  const std::string_view line(text.data(), static_cast<std::size_t>(size));
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  std::uint64_t pages = 0;
  const auto status = std::from_chars(line.data() + space + 1, line.data() + line.size(), pages).ec;
  if (status != std::errc{}) return std::nullopt;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace oomdrill::simulator
