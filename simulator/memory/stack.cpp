#include <alloca.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>

#include "memory/kinds.h"
#include "memory/regions.h"

namespace oomdrill::memory {
namespace {

/// Of a thread, as the C library's default is on most systems.
constexpr std::uint64_t kStackBytes = std::uint64_t{8} << 20;
/// Of each stack, for the C library and the thread's own calls.
constexpr std::uint64_t kReserved = std::uint64_t{64} << 10;

void wait(sem_t& semaphore) {
  while (::sem_wait(&semaphore) != 0 && errno == EINTR) {
  }
}

/// A thread that does nothing but to use ever more of its stack, when told.
class Thread {
 public:
  explicit Thread(const Content& content) : content_(content) {
    ::sem_init(&order_, 0, 0);
    ::sem_init(&done_, 0, 0);
  }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread() {
    if (runs_) {
      end_ = true;
      ::sem_post(&order_);
      ::pthread_join(thread_, nullptr);
    }
    if (stack_ != 0) unmap(stack_, kStackBytes);
    ::sem_destroy(&order_);
    ::sem_destroy(&done_);
  }

  Result<void> start() {
    const auto stack = map_aligned(kStackBytes, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK);
    if (!stack) return fail(stack.error());
    stack_ = *stack;
    ::madvise(at(stack_), kStackBytes, MADV_NOHUGEPAGE);
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstack(&attributes, at(stack_), kStackBytes);
    errno = ::pthread_create(&thread_, &attributes, run, this);
    const int errnum = errno;
    ::pthread_attr_destroy(&attributes);
    if (errnum != 0) {
      errno = errnum;
      return fail_errno("cannot start a thread", "pthread_create",
                        "see ulimit -u and the container's pids limit");
    }
    runs_ = true;
    return {};
  }

  /// Until `bytes` of the stack are in use.
  void deepen(std::uint64_t bytes) {
    wanted_ = bytes;
    ::sem_post(&order_);
    wait(done_);
  }

  void touch(std::uint64_t from, std::uint64_t bytes) const {
    if (bytes == 0 || deepest_ == 0) return;
    touch_pages(deepest_ + (used_ - std::min(used_, from + bytes)), std::min(bytes, used_));
  }

 private:
  static void* run(void* self) {
    static_cast<Thread*>(self)->use();
    return nullptr;
  }

  void use() {
    for (;;) {
      wait(order_);
      if (end_) return;
      if (wanted_ > used_) {
        // It lasts until this function returns: the stack grows by as much.
        auto* frame = static_cast<std::byte*>(alloca(wanted_ - used_));
        deepest_ = reinterpret_cast<std::uintptr_t>(frame);
        content_.fill_fresh({frame, wanted_ - used_});
        used_ = wanted_;
      }
      ::sem_post(&done_);
    }
  }

  Content content_;
  sem_t order_{};
  sem_t done_{};
  pthread_t thread_{};
  std::uintptr_t stack_ = 0;
  bool runs_ = false;
  // Handed over by the semaphores.
  bool end_ = false;
  std::uint64_t wanted_ = 0;
  std::uint64_t used_ = 0;
  std::uintptr_t deepest_ = 0;
};

/// Handles are positions in the row of stacks, of each of which kUsable bytes are used.
class Stacks final : public Memory {
 public:
  explicit Stacks(Content content) : content_(content) {}

  Result<Block> reserve(std::uint64_t bytes) override {
    if (end_ % kStackBytes == 0) {
      auto thread = std::make_unique<Thread>(content_.split());
      if (auto status = thread->start(); !status) return fail(status.error());
      threads_.insert_or_assign(end_ / kStackBytes, std::move(thread));
    }
    const Block block{end_, std::min(bytes, kStackBytes - end_ % kStackBytes)};
    end_ += block.bytes;
    return block;
  }

  Result<void> write(const Block& block, std::uint64_t from, std::uint64_t bytes) override {
    std::uint64_t begin = block.handle + from;
    const std::uint64_t end = begin + bytes;
    while (begin < end) {
      const std::uint64_t stop = std::min(end, begin - begin % kStackBytes + kStackBytes);
      // What is reserved of it was written when the thread began, or never will be.
      const std::uint64_t depth = stop - (begin - begin % kStackBytes);
      threads_.at(begin / kStackBytes)->deepen(std::min(depth, kStackBytes - kReserved));
      begin = stop;
    }
    return {};
  }

  void release(const Block& block) override {
    const std::uint64_t end = block.handle + block.bytes;
    for (std::uint64_t index = block.handle / kStackBytes; (index + 1) * kStackBytes <= end;
         ++index) {
      threads_.erase(index);
    }
  }

  void touch(const Block& block, std::uint64_t from, std::uint64_t bytes) override {
    const auto thread = threads_.find((block.handle + from) / kStackBytes);
    if (thread != threads_.end()) thread->second->touch((block.handle + from) % kStackBytes, bytes);
  }

  void reset() override {
    threads_.clear();
    end_ = (end_ + kStackBytes - 1) / kStackBytes * kStackBytes;
  }

  [[nodiscard]] std::uint64_t granule() const override { return kStackBytes; }

 private:
  Content content_;
  std::map<std::uint64_t, std::unique_ptr<Thread>> threads_;
  std::uint64_t end_ = 0;  ///< what was handed out
};

}  // namespace

constinit const Kind kStack = {
    .name = "stack",
    .help = "stacks of threads, 8 MiB each, used ever deeper; given back as threads end",
    .divisible = true,
    .small_blocks = false,
    .parameters = {},
    .claim = [](const Settings&) -> Claim {
      return {.counter = Counter::anon,
              .resident = true,
              .overhead = 0.01,
              .overhead_help = "0.5 %: page tables, and a kernel stack and a task a thread",
              .granule = kReserved};
    },
    .supported = [](const Settings&) -> Result<void> { return {}; },
    .make = [](Content content, const Settings&) -> std::unique_ptr<Memory> {
      return std::make_unique<Stacks>(content);
    }};

}  // namespace oomdrill::memory
