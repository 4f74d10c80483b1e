#include "memory/files.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <utility>

namespace oomdrill::memory {
namespace {

/// Of one file. Its pages need an index of their own, which a new file begins anew.
constexpr std::uint64_t kFileBytes = std::uint64_t{64} << 20;
constexpr std::size_t kPieceBytes = std::size_t{64} << 10;

/// Handles are positions in the row of files.
class Files final : public Memory {
 public:
  Files(Store store, Content content)
      : store_(std::move(store)),
        content_(content),
        page_(static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))),
        piece_(kPieceBytes) {}

  Result<Block> reserve(std::uint64_t bytes) override {
    if (end_ % kFileBytes == 0) {
      auto file = store_.directory.empty() ? open_memfd() : open_nameless(store_.directory);
      if (!file) return fail(file.error());
      files_.insert_or_assign(end_ / kFileBytes, std::move(*file));
    }
    const Block block{end_, std::min(bytes, kFileBytes - end_ % kFileBytes)};
    end_ += block.bytes;
    return block;
  }

  Result<void> write(const Block& block, std::uint64_t from, std::uint64_t bytes) override {
    // Whole pages, as their first byte comes: a page that is written twice is not on inactive_file.
    std::uint64_t position = up(block.handle + from);
    const std::uint64_t end = up(block.handle + from + bytes);
    while (position < end) {
      const int fd = files_.at(position / kFileBytes).get();
      const std::uint64_t offset = position % kFileBytes;
      const std::uint64_t size =
          std::min({end - position, std::uint64_t{kPieceBytes}, kFileBytes - offset});
      const std::span<std::byte> piece(piece_.data(), size);
      content_.fill(piece);
      const auto written = ::pwrite(fd, piece.data(), size, static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        return fail_errno("cannot write to a file without a name", where(),
                          errno == ENOSPC ? store_.full_help : "");
      }
      if (store_.write_out) {
        // Not fsync: it is the pages that are to be clean, and no journal needs to wait for them.
        ::sync_file_range(
            fd, static_cast<off_t>(offset), written,
            SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
      }
      position += static_cast<std::uint64_t>(written);
    }
    return {};
  }

  void release(const Block& block) override {
    // Oldest first: the front of the page in which the block begins is gone.
    std::uint64_t position = block.handle - block.handle % page_;
    const std::uint64_t end = block.handle + block.bytes;
    while (position < end) {
      const std::uint64_t index = position / kFileBytes;
      if (end >= (index + 1) * kFileBytes) {
        files_.erase(index);
        position = (index + 1) * kFileBytes;
        continue;
      }
      const std::uint64_t last = end - end % page_;
      const auto file = files_.find(index);
      if (position < last && file != files_.end()) {
        ::fallocate(file->second.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    static_cast<off_t>(position % kFileBytes), static_cast<off_t>(last - position));
      }
      break;
    }
  }

  void reset() override {
    files_.clear();
    end_ = (end_ + kFileBytes - 1) / kFileBytes * kFileBytes;
  }

  void touch(const Block& block, std::uint64_t from, std::uint64_t bytes) override {
    const std::uint64_t begin = block.handle + from;
    for (std::uint64_t at = up(begin); at < begin + bytes; at += page_) {
      const auto file = files_.find(at / kFileBytes);
      std::byte byte{};
      if (file == files_.end() ||
          ::pread(file->second.get(), &byte, 1, static_cast<off_t>(at % kFileBytes)) < 0) {
        return;
      }
    }
  }

 private:
  /// To the next page.
  [[nodiscard]] std::uint64_t up(std::uint64_t position) const {
    return (position + page_ - 1) / page_ * page_;
  }

  static Result<Fd> open_memfd() {
    Fd fd(::memfd_create("leaksim", MFD_CLOEXEC));
    if (!fd) return fail_errno("cannot make a file in memory", "memfd_create");
    return fd;
  }

  [[nodiscard]] std::string where() const {
    return store_.directory.empty() ? "memfd" : store_.directory;
  }

  Store store_;
  Content content_;
  std::uint64_t page_;
  std::vector<std::byte> piece_;
  std::map<std::uint64_t, Fd> files_;
  std::uint64_t end_ = 0;  ///< what was handed out
};

}  // namespace

std::unique_ptr<Memory> make_files(Store store, Content content) {
  return std::make_unique<Files>(std::move(store), content);
}

Result<Fd> open_nameless(const std::string& directory) {
  Fd fd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd) return fd;
  // EISDIR, EOPNOTSUPP: a kernel or a file system that knows no file without a name.
  if (errno == EISDIR || errno == EOPNOTSUPP) {
    std::string path = directory + "/leaksim-XXXXXX";
    fd = Fd(::mkostemp(path.data(), O_CLOEXEC));
    if (fd) {
      ::unlink(path.c_str());
      return fd;
    }
  }
  return fail_errno("cannot make a file there", directory, "name a directory with dir=");
}

Result<bool> is_tmpfs(const std::string& directory) {
  struct statfs info {};
  if (::statfs(directory.c_str(), &info) != 0) {
    return fail_errno("cannot be used", directory, "name a directory with dir=");
  }
  return info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC;
}

}  // namespace oomdrill::memory
