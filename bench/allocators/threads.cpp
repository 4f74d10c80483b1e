#include <array>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "mapped.h"
#include "plan/random.h"
#include "workloads.h"

namespace oomdrill::bench {
namespace {

using plan::Random;

void* block_of(std::size_t bytes) {
  void* block = std::malloc(bytes);
  if (block == nullptr) {
    std::perror("malloc");
    std::exit(71);
  }
  std::memset(block, 1, bytes);
  return block;
}

/// Web requests in threads that take turns, so that each run is the same: what a per-thread arena
/// keeps of a burst is nobody else's.
class Rails final : public Workload {
 public:
  Rails(std::uint64_t keep, std::uint64_t seed, State& state)
      : keep_(keep), random_(seed), state_(&state) {}
  ~Rails() override { stop(); }

  Result<void> run(const std::function<bool()>& done) override {
    if (threads_.empty()) {
      for (std::size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this, i] { serve(i); });
    }
    for (std::uint64_t n = 0; !done(); ++n) {
      hand_to(random_.below(kThreads));
      if (keep_ > 0) ++request_;
    }
    return {};
  }

  void free_all() override {
    for (auto& list : kept_) free_list(list);
  }

 private:
  static constexpr std::size_t kThreads = 16;
  static constexpr std::uint64_t kBurst = std::uint64_t{2} << 20;
  static constexpr std::uint64_t kMostBlocks = kBurst / 32;
  static constexpr std::size_t kMostKept = 64;

  /// In front of each block, as a program's own header.
  struct Head {
    Head* next;
    std::uint64_t bytes;
  };

  void hand_to(std::size_t thread) {
    std::unique_lock lock(mutex_);
    turn_ = static_cast<int>(thread);
    changed_.notify_all();
    changed_.wait(lock, [this] { return turn_ == kNobody; });
  }

  void serve(std::size_t number) {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(
            lock, [this, number] { return turn_ == static_cast<int>(number) || turn_ == kStop; });
        if (turn_ == kStop) return;
      }
      handle_request();
      const std::lock_guard lock(mutex_);
      turn_ = kNobody;
      changed_.notify_all();
    }
  }

  void handle_request() {
    std::uint64_t bytes = 0;
    std::size_t count = 0;
    while (bytes < kBurst && count < kMostBlocks) {
      // Evenly over the powers of two from 32 B to 8 KiB.
      const auto size = static_cast<std::uint64_t>(32 * std::exp2(8 * random_.unit()));
      auto* head = static_cast<Head*>(block_of(size));
      head->bytes = size;
      add(state_->live, size);
      add(state_->allocated, size);
      add(state_->operations, 1);
      burst_[count++] = head;
      bytes += size;
    }
    Head*& kept = kept_[request_ % (keep_ > 0 ? std::min<std::uint64_t>(keep_, kMostKept) : 1)];
    if (keep_ > 0) free_list(kept);
    for (std::size_t i = 0; i < count; ++i) {
      if (random_.below(50) == 0) {
        burst_[i]->next = std::exchange(kept, burst_[i]);
      } else {
        give_back(burst_[i]);
      }
    }
  }

  void give_back(Head* head) {
    subtract(state_->live, head->bytes);
    add(state_->operations, 1);
    std::free(head);
  }

  void free_list(Head*& list) {
    while (list != nullptr) give_back(std::exchange(list, list->next));
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      turn_ = kStop;
      changed_.notify_all();
    }
    for (std::thread& thread : threads_) thread.join();
  }

  static constexpr int kNobody = -1;
  static constexpr int kStop = -2;
  std::uint64_t keep_;
  Random random_;
  State* state_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int turn_ = kNobody;
  std::uint64_t request_ = 0;
  Mapped<Head*> burst_{kMostBlocks + 1};
  std::array<Head*, kMostKept> kept_{};
  std::vector<std::thread> threads_;
};

std::size_t servers() { return std::max(2U, std::thread::hardware_concurrency()); }

/// Larson and Krishnan 1998: a server's thread ends, and the next one frees what it allocated.
class Larson final : public Workload {
 public:
  Larson(std::uint64_t seed, State& state) : seed_(seed), state_(&state) {}

  Result<void> run(const std::function<bool()>&) override {
    std::vector<std::thread> running;
    for (std::size_t i = 0; i < servers(); ++i) running.emplace_back([this, i] { chain(i); });
    for (std::thread& thread : running) thread.join();
    std::uint64_t live = 0;
    for (std::size_t i = 0; i < servers() * kChunks; ++i) live += blocks_[i].bytes;
    state_->live.store(live);
    state_->operations.store(2 * servers() * kRounds * kReplacements);
    return {};
  }

  void free_all() override {
    for (std::size_t i = 0; i < servers() * kChunks; ++i) {
      std::free(blocks_[i].at);
      blocks_[i] = {};
    }
    state_->live.store(0);
  }

 private:
  static constexpr std::size_t kChunks = 5000;
  static constexpr std::size_t kRounds = 100;
  static constexpr std::size_t kReplacements = 25'000;
  struct Held {
    void* at;
    std::size_t bytes;
  };

  void chain(std::size_t server) {
    for (std::size_t round = 0; round < kRounds; ++round) {
      std::thread([this, server, round] {
        Random random(seed_ + server * kRounds + round);
        Held* const mine = &blocks_[server * kChunks];
        for (std::size_t i = 0; i < kReplacements; ++i) {
          Held& held = mine[random.below(kChunks)];
          std::free(held.at);
          held.bytes = 8 + random.below(993);
          held.at = block_of(held.bytes);
        }
      }).join();
    }
  }

  std::uint64_t seed_;
  State* state_;
  Mapped<Held> blocks_{servers() * kChunks};
};

class Handoff final : public Workload {
 public:
  Handoff(std::uint64_t seed, State& state) : random_(seed), state_(&state) {}

  Result<void> run(const std::function<bool()>&) override {
    std::thread consumer([this] {
      for (std::uint64_t n = 0; n < kBlocks; ++n) {
        while (written_.load(std::memory_order_acquire) == n) std::this_thread::yield();
        std::free(ring_[n % kRing]);
        read_.store(n + 1, std::memory_order_release);
      }
    });
    for (std::uint64_t n = 0; n < kBlocks; ++n) {
      while (n - read_.load(std::memory_order_acquire) >= kRing) std::this_thread::yield();
      ring_[n % kRing] = block_of(16 + random_.below(1009));
      written_.store(n + 1, std::memory_order_release);
    }
    consumer.join();
    state_->operations.store(2 * kBlocks);
    return {};
  }

  void free_all() override {}

 private:
  static constexpr std::uint64_t kBlocks = 3'000'000;
  static constexpr std::uint64_t kRing = 16'384;
  Random random_;
  State* state_;
  Mapped<void*> ring_{kRing};
  std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> read_{0};
};

}  // namespace

std::unique_ptr<Workload> make_rails(std::uint64_t keep, std::uint64_t seed, State& state) {
  return std::make_unique<Rails>(keep, seed, state);
}
std::unique_ptr<Workload> make_larson(std::uint64_t seed, State& state) {
  return std::make_unique<Larson>(seed, state);
}
std::unique_ptr<Workload> make_handoff(std::uint64_t seed, State& state) {
  return std::make_unique<Handoff>(seed, state);
}

}  // namespace oomdrill::bench
