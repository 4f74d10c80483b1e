#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "memory/memory.h"

namespace oomdrill::simulator::test {

/// Memory that only counts; small blocks are real, because the ledger links
/// them, and each is remembered.
class FakeMemory final : public memory::Memory {
 public:
  static const memory::Kind kKind;   ///< divisible, as anon is
  static const memory::Kind kWhole;  ///< indivisible with small blocks, as the heap is

  Result<memory::Block> reserve(std::uint64_t bytes) override {
    if (reservations_ == refuse_after_) return fail("refused");
    ++reservations_;
    const std::uint64_t size = std::min(bytes, most_);
    if (size > kSmall) return memory::Block{std::exchange(next_, next_ + size), size};
    blocks_.push_back(std::make_unique<std::byte[]>(size));
    handles_.push_back(reinterpret_cast<std::uintptr_t>(blocks_.back().get()));
    held_.insert(handles_.back());
    return memory::Block{handles_.back(), size};
  }
  Result<void> write(const memory::Block&, std::uint64_t, std::uint64_t bytes) override {
    written_ += bytes;
    if (on_write_) on_write_(bytes);
    return {};
  }
  void release(const memory::Block& block) override {
    released_ += block.bytes;
    held_.erase(block.handle);
    if (on_release_) on_release_(block.bytes);
  }

  void touch(const memory::Block& block, std::uint64_t from, std::uint64_t bytes) override {
    if (touched_.size() < touched_.capacity()) touched_.push_back({block.handle + from, bytes});
  }
  void reset() override { ++resets_; }
  [[nodiscard]] std::uint64_t granule() const override { return granule_; }

  void set_granule(std::uint64_t granule) { granule_ = granule; }
  void remember_touches() { touched_.reserve(1000); }
  [[nodiscard]] const std::vector<memory::Block>& touched() const { return touched_; }
  [[nodiscard]] int resets() const { return resets_; }
  void limit_reservation(std::uint64_t most) { most_ = most; }
  void refuse_after(std::uint64_t reservations) { refuse_after_ = reservations; }
  void on_release(std::function<void(std::uint64_t)> hook) { on_release_ = std::move(hook); }
  void on_write(std::function<void(std::uint64_t)> hook) { on_write_ = std::move(hook); }

  [[nodiscard]] std::uint64_t written() const { return written_; }
  [[nodiscard]] std::uint64_t released() const { return released_; }
  [[nodiscard]] std::uint64_t reservations() const { return reservations_; }
  [[nodiscard]] const std::vector<std::uintptr_t>& handles() const { return handles_; }
  [[nodiscard]] const std::set<std::uintptr_t>& held() const { return held_; }

 private:
  static constexpr std::uint64_t kSmall = 4096;
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::vector<std::uintptr_t> handles_;
  std::set<std::uintptr_t> held_;
  std::function<void(std::uint64_t)> on_write_;
  std::function<void(std::uint64_t)> on_release_;
  std::vector<memory::Block> touched_;
  std::uint64_t granule_ = 1;
  int resets_ = 0;
  std::uintptr_t next_ = std::uintptr_t{1} << 40;
  std::uint64_t most_ = UINT64_MAX;
  std::uint64_t refuse_after_ = UINT64_MAX;
  std::uint64_t reservations_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t released_ = 0;
};

inline const memory::Kind FakeMemory::kKind = {
    .name = "anon",
    .help = "counts",
    .divisible = true,
    .small_blocks = false,
    .parameters = {},
    .claim = [](const memory::Settings&) -> memory::Claim {
      return {.counter = memory::Counter::anon, .resident = true};
    },
    .supported = [](const memory::Settings&) -> Result<void> { return {}; },
    .make = [](memory::Content, const memory::Settings&) -> std::unique_ptr<memory::Memory> {
      return std::make_unique<FakeMemory>();
    }};

inline const memory::Kind FakeMemory::kWhole = {
    .name = "heap",
    .help = "counts",
    .divisible = false,
    .small_blocks = true,
    .parameters = {},
    .claim = [](const memory::Settings&) -> memory::Claim {
      return {.counter = memory::Counter::anon, .resident = true};
    },
    .supported = [](const memory::Settings&) -> Result<void> { return {}; },
    .make = [](memory::Content, const memory::Settings&) -> std::unique_ptr<memory::Memory> {
      return std::make_unique<FakeMemory>();
    }};

}  // namespace oomdrill::simulator::test
