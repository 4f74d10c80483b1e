#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace oomdrill {

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<Fd> open_file_at(int dir, const std::string& name, int flags) {
  const int fd = ::openat(dir, name.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return fail_errno("cannot open", name);
  return Fd(fd);
}

Result<Fd> open_file(const std::string& path, int flags) {
  return open_file_at(AT_FDCWD, path, flags);
}

Result<std::string> read_file(const std::string& path, std::size_t most) {
  auto fd = open_file(path, O_RDONLY);
  if (!fd) return fail(fd.error());
  std::string text;
  std::size_t used = 0;
  for (;;) {
    if (used == text.size()) text.resize(used + 4096);
    const auto n = ::read(fd->get(), text.data() + used, text.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("cannot read", path);
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
    if (used > most) return fail(fmt::format("is larger than {}", most), path);
  }
  text.resize(used);
  return text;
}

Result<void> write_file(const std::string& path, std::string_view text) {
  auto fd = open_file(path, O_WRONLY | O_TRUNC);
  if (!fd) return fail(fd.error());
  const auto n = ::write(fd->get(), text.data(), text.size());
  if (n != static_cast<std::ptrdiff_t>(text.size())) {
    return fail_errno("cannot write '" + std::string(text) + "'", path);
  }
  return {};
}

std::ptrdiff_t pread_all(int fd, std::span<char> buffer) {
  std::size_t used = 0;
  while (used < buffer.size()) {
    const auto n =
        ::pread(fd, buffer.data() + used, buffer.size() - used, static_cast<off_t>(used));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    // A kernel file answers a whole record at once, so a short read is its end: one call, not two.
    if (static_cast<std::size_t>(n) < buffer.size() - used)
      return static_cast<std::ptrdiff_t>(used) + n;
    used += static_cast<std::size_t>(n);
  }
  return -EOVERFLOW;
}

}  // namespace oomdrill
