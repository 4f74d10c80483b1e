#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>
#include <utility>

#include "base/file.h"
#include "memory/kinds.h"
#include "memory/regions.h"

namespace oomdrill::memory {
namespace {

/// What leaksim shares with its children, and each of them makes its own.
constexpr std::uint64_t kSharedBytes = std::uint64_t{8} << 20;

struct Order {
  std::uint64_t from, bytes;
  bool touch;  ///< what is its own already
};

/// A child is copied from a process that has nothing but this thread (Stacks is another kind), so
/// it may do what any process may; it calls nothing that is not in this file all the same.
[[noreturn]] void serve(int socket, std::uintptr_t shared, Content content, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
  // Nobody who reads leaksim's output to its end waits for a child of it.
  ::dup2(socket, 0);
#ifdef SYS_close_range
  ::syscall(SYS_close_range, 1u, ~0u, 0u);
#endif
  for (;;) {
    Order order{};
    const auto size = ::recv(0, &order, sizeof order, MSG_WAITALL);
    if (size < 0 && errno == EINTR) continue;
    if (size != sizeof order) ::_exit(0);
    if (order.touch) {
      touch_pages(shared + order.from, order.bytes);
    } else {
      content.fill_fresh({at(shared + order.from), order.bytes});
    }
    const char done = 0;
    while (::send(0, &done, 1, MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
  }
}

class Child {
 public:
  Child(pid_t pid, Fd socket) : pid_(pid), socket_(std::move(socket)) {}
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), socket_(std::move(other.socket_)) {}
  Child& operator=(Child&&) = delete;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  /// False: it is dead.
  bool tell(const Order& order) {
    if (::send(socket_.get(), &order, sizeof order, MSG_NOSIGNAL) != sizeof order) return false;
    for (;;) {
      char done = 0;
      const auto size = ::recv(socket_.get(), &done, 1, 0);
      if (size < 0 && errno == EINTR) continue;
      return size == 1;
    }
  }

 private:
  pid_t pid_;
  Fd socket_;
};

/// Handles are positions; each child has made its own what lies in its kSharedBytes of them.
class Forked final : public Memory {
 public:
  explicit Forked(Content content) : content_(content) {
    const auto shared = map_aligned(kSharedBytes, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    if (!shared) return;
    shared_ = *shared;
    ::madvise(at(shared_), kSharedBytes, MADV_NOHUGEPAGE);
    content_.fill_fresh({at(shared_), kSharedBytes});
  }
  Forked(const Forked&) = delete;
  Forked& operator=(const Forked&) = delete;
  ~Forked() override {
    children_.clear();
    if (shared_ != 0) unmap(shared_, kSharedBytes);
  }

  Result<Block> reserve(std::uint64_t bytes) override {
    if (shared_ == 0) return fail("cannot reserve address space", "mmap", "see ulimit -v");
    if (end_ % kSharedBytes == 0) {
      if (auto status = fork_one(); !status) return fail(status.error());
    }
    const Block block{end_, std::min(bytes, kSharedBytes - end_ % kSharedBytes)};
    end_ += block.bytes;
    return block;
  }

  Result<void> write(const Block& block, std::uint64_t from, std::uint64_t bytes) override {
    return tell(block.handle + from, bytes, false);
  }

  void touch(const Block& block, std::uint64_t from, std::uint64_t bytes) override {
    // A child that was killed is told of by the next write.
    (void)tell(block.handle + from, bytes, true);
  }

  void release(const Block& block) override {
    const std::uint64_t end = block.handle + block.bytes;
    for (std::uint64_t index = block.handle / kSharedBytes; (index + 1) * kSharedBytes <= end;
         ++index) {
      children_.erase(index);
    }
  }

  void reset() override {
    children_.clear();
    end_ = (end_ + kSharedBytes - 1) / kSharedBytes * kSharedBytes;
  }

  [[nodiscard]] std::uint64_t granule() const override { return kSharedBytes; }

 private:
  Result<void> tell(std::uint64_t begin, std::uint64_t bytes, bool touch) {
    const std::uint64_t end = begin + bytes;
    while (begin < end) {
      const std::uint64_t offset = begin % kSharedBytes;
      const std::uint64_t size = std::min(end - begin, kSharedBytes - offset);
      const auto child = children_.find(begin / kSharedBytes);
      if (child != children_.end() && !child->second.tell({offset, size, touch})) {
        return fail("a child that holds the leak was killed, as the OOM killer does", "fork",
                    "that is what --kind fork shows: the container survives its worker");
      }
      begin += size;
    }
    return {};
  }

  Result<void> fork_one() {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      return fail_errno("cannot make a socket", "socketpair");
    }
    Fd ours(pair[0]);
    const Fd theirs(pair[1]);
    const pid_t parent = ::getpid();
    const Content content = content_.split();
    const pid_t pid = ::fork();
    if (pid < 0) {
      return fail_errno("cannot start a child", "fork", "see ulimit -u and the pids limit");
    }
    if (pid == 0) serve(theirs.get(), shared_, content, parent);
    children_.emplace(end_ / kSharedBytes, Child(pid, std::move(ours)));
    return {};
  }

  Content content_;
  std::uintptr_t shared_ = 0;
  std::map<std::uint64_t, Child> children_;
  std::uint64_t end_ = 0;  ///< what was handed out
};

}  // namespace

constinit const Kind kFork = {
    .name = "fork",
    .help =
        "children that write 8 MiB of inherited pages each, as prefork workers do: copy on "
        "write makes them private",
    .divisible = true,
    .small_blocks = false,
    .parameters = {},
    .claim = [](const Settings&) -> Claim {
      return {.counter = Counter::anon,
              .overhead = 0.04,
              .overhead_help =
                  "up to 4 %: a process and its page tables each 8 MiB; and the 8 MiB "
                  "that are shared, before the leak begins"};
    },
    .supported = [](const Settings&) -> Result<void> { return {}; },
    .make = [](Content content, const Settings&) -> std::unique_ptr<Memory> {
      return std::make_unique<Forked>(content);
    }};

}  // namespace oomdrill::memory
