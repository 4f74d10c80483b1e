#include "held_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "cgroup/limit.h"
#include "text.h"

namespace oomdrill::cgroup {
namespace {

/// Room for a file of one number, which has 20 digits at most.
constexpr std::size_t kNumberSize = 64;

}  // namespace

bool is_absent(int errnum) {
  switch (errnum) {
    case ENOENT:
    case ENOTDIR:
    case ENODEV:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Result<std::optional<std::string>> read_optional_file(const std::string& path) {
  auto text = read_file(path);
  if (text) return std::optional(std::move(*text));
  if (is_absent(text.error().errnum)) return std::optional<std::string>();
  return fail(std::move(text.error()));
}

Result<HeldFile> HeldFile::open(std::string path) {
  auto fd = open_file(path, O_RDONLY);
  if (!fd) return fail(std::move(fd.error()));
  HeldFile file;
  file.fd_ = std::move(*fd);
  file.path_ = std::move(path);
  return file;
}

Result<HeldFile> HeldFile::open_optional(std::string path) {
  auto file = open(std::move(path));
  if (file) return file;
  const int errnum = file.error().errnum;
  if (is_absent(errnum) || errnum == EACCES || errnum == EPERM) return HeldFile();
  return file;
}

Result<std::string_view> HeldFile::read(std::span<char> buffer) const {
  const std::ptrdiff_t n = pread_all(fd_.get(), buffer);
  if (n >= 0) return std::string_view(buffer.data(), static_cast<std::size_t>(n));
  if (n == -EOVERFLOW) {
    const std::string_view full(buffer.data(), buffer.size());
    return full.substr(0, full.rfind('\n') + 1);
  }
  errno = static_cast<int>(-n);
  return fail_errno("cannot read", path_);
}

Result<std::uint64_t> HeldFile::read_number() const {
  std::array<char, kNumberSize> buffer;
  const auto text = read(buffer);
  if (!text) return fail(text.error());
  return parse_number(*text, path_);
}

Result<std::optional<std::string_view>> read_present(const HeldFile& file, std::span<char> buffer) {
  if (!file.valid()) return std::nullopt;
  auto text = file.read(buffer);
  if (text) return *text;
  if (is_absent(text.error().errnum)) return std::nullopt;
  return fail(std::move(text.error()));
}

Result<void> number_into(const HeldFile& file, Bytes& out) {
  std::array<char, kNumberSize> buffer;
  const auto text = read_present(file, buffer);
  if (!text) return fail(text.error());
  if (!*text) return {};
  const auto number = parse_number(**text, file.path());
  if (!number) return fail(number.error());
  out = *number;
  return {};
}

Result<void> limit_into(const HeldFile& file, Bytes& out) {
  std::array<char, kNumberSize> buffer;
  const auto text = read_present(file, buffer);
  if (!text) return fail(text.error());
  if (!*text) return {};
  const auto limit = parse_limit(**text, file.path());
  if (!limit) return fail(limit.error());
  out = *limit;
  return {};
}

}  // namespace oomdrill::cgroup
