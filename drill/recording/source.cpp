#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <memory>
#include <span>
#include <vector>

#include "base/file.h"
#include "recording/reader.h"

namespace oomdrill::recording {
namespace {

constexpr std::size_t kBlock = std::size_t{256} << 10;

class File {
 public:
  static Result<File> open(const std::string& path) {
    if (path == "-") return File(Fd(), STDIN_FILENO, "stdin");
    auto opened = open_file(path, O_RDONLY);
    if (!opened) return fail(opened.error());
    const int fd = opened->get();
    return File(std::move(*opened), fd, path);
  }

  /// 0: its end.
  Result<std::size_t> read(std::span<char> into) const {
    for (;;) {
      const auto n = ::read(fd_, into.data(), into.size());
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno == EINTR) continue;
      return fail_errno("cannot read", name_);
    }
  }

 private:
  File(Fd owned, int fd, std::string name)
      : owned_(std::move(owned)), fd_(fd), name_(std::move(name)) {}
  Fd owned_;
  int fd_;
  std::string name_;
};

class Inflater {
 public:
  Inflater() { ready_ = ::inflateInit2(&stream_, 15 + 16) == Z_OK; }
  ~Inflater() {
    if (ready_) ::inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Into the reader. False: it is damaged.
  bool feed(std::span<char> packed, Reader& reader) {
    if (!ready_) return false;
    stream_.next_in = reinterpret_cast<Bytef*>(packed.data());
    stream_.avail_in = static_cast<uInt>(packed.size());
    do {
      if (ended_) {
        // The next of several that were concatenated; zeros behind the last are padding.
        if (stream_.avail_in == 0 || *stream_.next_in == 0) return true;
        if (::inflateReset(&stream_) != Z_OK) return false;
        ended_ = false;
      }
      const std::span<char> space = reader.space();
      stream_.next_out = reinterpret_cast<Bytef*>(space.data());
      stream_.avail_out = static_cast<uInt>(space.size());
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      reader.filled(space.size() - stream_.avail_out);
      if (status == Z_STREAM_END) {
        ended_ = true;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        return false;
      }
    } while (stream_.avail_in > 0 || stream_.avail_out == 0);
    return true;
  }
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
  bool ended_ = false;
};

Result<void> read_gzip(const File& file, std::vector<char> packed, Reader& reader) {
  const auto inflater = std::make_unique<Inflater>();
  std::size_t size = packed.size();
  packed.resize(kBlock);
  while (size > 0) {
    if (!inflater->feed(std::span(packed).first(size), reader)) {
      reader.finish();
      reader.add_problem("the gzip data is damaged: what follows cannot be read");
      return {};
    }
    const auto n = file.read(packed);
    if (!n) return fail(n.error());
    size = *n;
  }
  reader.finish();
  if (!inflater->ended()) reader.add_problem("the gzip data ends early: the file was cut");
  return {};
}

}  // namespace

Result<void> read_file(const std::string& path, Reader& reader) {
  const auto file = File::open(path);
  if (!file) return fail(file.error());
  // A pipe may give its first byte alone.
  std::vector<char> magic(2);
  std::size_t size = 0;
  while (size < magic.size()) {
    const auto n = file->read(std::span(magic).subspan(size));
    if (!n) return fail(n.error());
    if (*n == 0) break;
    size += *n;
  }
  magic.resize(size);
  if (size == 2 && magic[0] == '\x1f' && magic[1] == '\x8b') {
    return read_gzip(*file, std::move(magic), reader);
  }
  reader.feed({magic.data(), size});
  for (;;) {
    const auto n = file->read(reader.space());
    if (!n) return fail(n.error());
    if (*n == 0) break;
    reader.filled(*n);
  }
  reader.finish();
  return {};
}

}  // namespace oomdrill::recording
