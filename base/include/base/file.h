#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace oomdrill {

/// The root that every path of the machine (/proc, /sys) is read below: "" in production, a
/// fixture tree's folder in a test.
class FileRoot {
 public:
  FileRoot() = default;
  explicit FileRoot(std::string prefix) : prefix_(std::move(prefix)) {}
  /// `path` is absolute.
  [[nodiscard]] std::string operator/(std::string_view path) const {
    return prefix_ + std::string(path);
  }

 private:
  std::string prefix_;
};

/// An owned file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  explicit operator bool() const { return valid(); }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

/// open(2) with O_CLOEXEC. `flags` without it; `dir` is AT_FDCWD or an open directory.
Result<Fd> open_file(const std::string& path, int flags);
Result<Fd> open_file_at(int dir, const std::string& name, int flags);

/// The whole file. Error: not readable, or larger than `most` bytes.
Result<std::string> read_file(const std::string& path, std::size_t most = std::size_t{4} << 20);

/// Writes `text` in one write(2) to an existing file, as cgroupfs and procfs want it.
Result<void> write_file(const std::string& path, std::string_view text);

/// Reads from offset 0 of a held descriptor into `buffer`, without allocating.
/// Returns the bytes read, or -errno; -EOVERFLOW where the file did not fit.
std::ptrdiff_t pread_all(int fd, std::span<char> buffer);

}  // namespace oomdrill
