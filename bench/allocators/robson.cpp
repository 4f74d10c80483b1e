#include <cstdlib>
#include <cstring>

#include "mapped.h"
#include "workloads.h"

namespace oomdrill::bench {
namespace {

/// J. M. Robson, Bounds for some functions concerning dynamic storage allocation, 1974: no
/// allocator that does not move blocks serves this one in less than live · (k/2 + 1) bytes, where
/// the largest block is 2^k units. At step i the blocks stay that cover an address which is f
/// modulo 2^i units; f goes on from step to step so that as much as can be is lost between them.
class Robson final : public Workload {
 public:
  Robson(std::uint64_t live, std::uint64_t largest, State& state)
      : most_(live), largest_(largest), state_(&state), held_(live / kUnit) {}

  Result<void> run(const std::function<bool()>&) override {
    std::uint64_t f = 0;
    for (std::uint64_t size = kUnit; size <= largest_; size *= 2) {
      if (size > kUnit) {
        const std::uint64_t other = f + size / 2;
        if (lost(other, size) > lost(f, size)) f = other;
        keep_only(f, size);
      }
      while (state_->live.load() + size <= most_) {
        void* block = std::malloc(size);
        if (block == nullptr) return fail_errno("cannot allocate", "malloc");
        std::memset(block, 1, size);
        held_[count_++] = {reinterpret_cast<std::uintptr_t>(block), size};
        add(state_->live, size);
        add(state_->allocated, size);
        add(state_->operations, 1);
      }
    }
    return {};
  }

  void free_all() override { keep_only(0, 0); }

 private:
  static constexpr std::uint64_t kUnit = 32;
  struct Held {
    std::uintptr_t at;
    std::uint64_t bytes;
  };

  /// Whether a block has an address in it that is `f` modulo `modulus`.
  static bool covers(const Held& held, std::uint64_t f, std::uint64_t modulus) {
    if (modulus == 0) return false;
    const std::uint64_t first = (held.at + modulus - f % modulus) % modulus;
    return first == 0 || first + held.bytes > modulus;
  }

  std::uint64_t lost(std::uint64_t f, std::uint64_t size) {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (covers(held_[i], f, size)) bytes += size - held_[i].bytes;
    }
    return bytes;
  }

  void keep_only(std::uint64_t f, std::uint64_t size) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (covers(held_[i], f, size)) {
        held_[kept++] = held_[i];
      } else {
        subtract(state_->live, held_[i].bytes);
        add(state_->operations, 1);
        std::free(reinterpret_cast<void*>(held_[i].at));
      }
    }
    count_ = kept;
  }

  std::uint64_t most_;
  std::uint64_t largest_;
  State* state_;
  Mapped<Held> held_;
  std::size_t count_ = 0;
};

}  // namespace

std::unique_ptr<Workload> make_robson(std::uint64_t live, std::uint64_t largest, State& state) {
  return std::make_unique<Robson>(live, largest, state);
}

}  // namespace oomdrill::bench
