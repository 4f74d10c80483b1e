#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "base/file.h"
#include "memory/kinds.h"

namespace oomdrill::memory {
namespace {

constexpr std::array kParameters = {plan::Parameter{
    "of", "pipes|sockets|inodes", "pipes",
    "unread data in pipes or in Unix sockets, or files without a byte: an inode, a dentry each"}};

// Sizes that the kernel rounds up to whole pages with next to nothing lost. 65,216 bytes are a
// linear part of 16,064 in 16 KiB with the buffer's own end, and 12 pages.
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kSocketUnit = std::uint64_t{64} << 10;
constexpr std::size_t kSocketWrite = 65216;
constexpr std::uint64_t kMostInSocket = 16;  ///< units, where net.core.wmem_max allows it
constexpr int kPipeBytes = 1 << 20;
/// Of an inode of tmpfs, a dentry with a long name, a struct file and a descriptor.
constexpr std::uint64_t kInodeUnit = 1472;

/// Something that holds data in the kernel: a pipe, a socket pair, a file.
struct Holder {
  Fd in;
  Fd out;
  std::uint64_t first = 0;     ///< position of its first unit that is left
  std::uint64_t units = 0;     ///< left in it
  std::uint64_t capacity = 0;  ///< of units, 0: until it takes no more
};

/// Handles are positions; a unit is made when its first byte comes, and is gone with its last.
class Units : public Memory {
 public:
  Units(Content content, std::uint64_t unit, std::size_t write)
      : content_(content), unit_(unit), data_(write) {
    // Descriptors are what these kinds use up.
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
      limit.rlim_cur = limit.rlim_max;
      ::setrlimit(RLIMIT_NOFILE, &limit);
    }
  }

  Result<Block> reserve(std::uint64_t bytes) override {
    const Block block{end_, bytes};
    end_ += bytes;
    return block;
  }

  Result<void> write(const Block& block, std::uint64_t from, std::uint64_t bytes) override {
    const std::uint64_t end = block.handle + from + bytes;
    while (made_ * unit_ < end) {
      if (auto status = make(); !status) return status;
      ++made_;
    }
    return {};
  }

  void release(const Block& block) override {
    const std::uint64_t end = block.handle + block.bytes;
    const std::uint64_t keep_from = end / unit_;
    while (!holders_.empty() && holders_.front().first < keep_from) {
      Holder& oldest = holders_.front();
      if (oldest.first + oldest.units <= keep_from) {
        holders_.pop_front();
        continue;
      }
      drain(oldest, keep_from - oldest.first);
      break;
    }
  }

  void reset() override {
    holders_.clear();
    made_ = (end_ + unit_ - 1) / unit_;
    end_ = made_ * unit_;
  }

 protected:
  virtual Result<Holder> open() = 0;

 private:
  Result<void> make() {
    for (bool fresh = false;; fresh = true) {
      if (!holders_.empty() && put(holders_.back())) return {};
      if (fresh) return fail_errno("takes no data", "pipe or socket");
      auto holder = open();
      if (!holder) return fail(holder.error());
      holder->first = made_;
      holders_.push_back(std::move(*holder));
    }
  }

  bool put(Holder& holder) {
    if (holder.capacity != 0 && holder.units == holder.capacity) return false;
    if (!data_.empty()) {
      content_.fill(data_);
      for (;;) {
        const auto size = ::write(holder.in.get(), data_.data(), data_.size());
        if (size < 0 && errno == EINTR) continue;
        if (size != static_cast<std::ptrdiff_t>(data_.size())) return false;
        break;
      }
    }
    ++holder.units;
    return true;
  }

  void drain(Holder& holder, std::uint64_t units) {
    for (std::uint64_t unit = 0; unit < units; ++unit) {
      std::size_t left = data_.size();
      while (left > 0) {
        const auto size = ::read(holder.out.get(), data_.data(), left);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) break;
        left -= static_cast<std::size_t>(size);
      }
    }
    holder.first += units;
    holder.units -= units;
  }

  Content content_;
  std::uint64_t unit_;
  std::vector<std::byte> data_;
  std::deque<Holder> holders_;
  std::uint64_t made_ = 0;  ///< units
  std::uint64_t end_ = 0;   ///< bytes handed out
};

class Pipes final : public Units {
 public:
  explicit Pipes(Content content) : Units(content, kPage, kPage) {}

 private:
  Result<Holder> open() override {
    int pair[2];
    if (::pipe2(pair, O_CLOEXEC | O_NONBLOCK) != 0) {
      return fail_errno("cannot make a pipe", "pipe2", "see ulimit -n");
    }
    Holder holder{.in = Fd(pair[1]), .out = Fd(pair[0])};
    int size = ::fcntl(pair[1], F_SETPIPE_SZ, kPipeBytes);
    // EPERM: the user has fs.pipe-user-pages-soft pages in pipes already.
    if (size < 0) size = ::fcntl(pair[1], F_GETPIPE_SZ);
    holder.capacity = static_cast<std::uint64_t>(std::max(size, 0)) / kPage;
    return holder;
  }
};

class Sockets final : public Units {
 public:
  explicit Sockets(Content content) : Units(content, kSocketUnit, kSocketWrite) {}

 private:
  Result<Holder> open() override {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
      return fail_errno("cannot make a socket pair", "socketpair", "see ulimit -n");
    }
    const int most = 1 << 30;  // cut to net.core.wmem_max
    ::setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &most, sizeof most);
    return Holder{.in = Fd(pair[0]), .out = Fd(pair[1]), .capacity = kMostInSocket};
  }
};

class Inodes final : public Units {
 public:
  explicit Inodes(Content content) : Units(content, kInodeUnit, 0) {}

 private:
  Result<Holder> open() override {
    static const std::string name(200, 'i');
    Fd fd(::memfd_create(name.c_str(), MFD_CLOEXEC));
    if (!fd) return fail_errno("cannot make another file", "memfd_create", "see ulimit -n");
    return Holder{.in = std::move(fd), .out = Fd(), .capacity = 1};
  }
};

}  // namespace

constinit const Kind kKernel = {
    .name = "kernel",
    .help = "memory that the kernel holds for the process: no process shows it",
    .divisible = true,
    .small_blocks = false,
    .parameters = kParameters,
    .claim = [](const Settings& settings) -> Claim {
      const auto of = setting(settings, kParameters[0]);
      if (of == "inodes") {
        return {.counter = Counter::kernel,
                .overhead = 0.25,
                .overhead_help = "sizes of kernel objects are its own: up to 25 %"};
      }
      if (of == "sockets") {
        return {.counter = Counter::kernel,
                // Measured: 2 % on Linux 6.18, 12.5 % on 6.1.
                .overhead = 0.13,
                .overhead_help = "up to 13 %: the sockets and their buffers' heads",
                .granule = kSocketUnit};
      }
      return {.counter = Counter::kernel,
              .overhead = 0.02,
              .overhead_help = "1.2 %: the pipes' tables of pages"};
    },
    .supported = [](const Settings&) -> Result<void> { return {}; },
    .make = [](Content content, const Settings& settings) -> std::unique_ptr<Memory> {
      const auto of = setting(settings, kParameters[0]);
      if (of == "inodes") return std::make_unique<Inodes>(content);
      if (of == "sockets") return std::make_unique<Sockets>(content);
      return std::make_unique<Pipes>(content);
    }};

}  // namespace oomdrill::memory
