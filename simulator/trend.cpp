#include "trend.h"

namespace oomdrill::simulator {
namespace {

std::optional<double> rate(std::uint64_t from, std::uint64_t to, Nanoseconds time) {
  if (time <= Nanoseconds(0)) return std::nullopt;
  return (static_cast<double>(to) - static_cast<double>(from)) * 1e9 /
         static_cast<double>(time.count());
}

}  // namespace

void Trend::add(const Mark& mark) {
  if (size_ == kCapacity) {
    first_ = (first_ + 1) % kCapacity;
    --size_;
  }
  marks_[(first_ + size_) % kCapacity] = mark;
  ++size_;
}

const Trend::Mark* Trend::back(Nanoseconds age) const {
  if (size_ < 2) return nullptr;
  const Nanoseconds last = at(size_ - 1).due;
  for (std::size_t i = size_ - 1; i-- > 0;) {
    if (last - at(i).due >= age) return &at(i);
  }
  return &at(0);
}

std::optional<double> Trend::requested() const {
  const Mark* from = back(std::chrono::seconds(1));
  if (from == nullptr) return std::nullopt;
  const Mark& to = at(size_ - 1);
  return rate(from->requested, to.requested, to.due - from->due);
}

std::optional<double> Trend::achieved() const {
  const Mark* from = back(std::chrono::seconds(1));
  if (from == nullptr) return std::nullopt;
  const Mark& to = at(size_ - 1);
  return rate(from->achieved, to.achieved, to.elapsed - from->elapsed);
}

std::optional<double> Trend::growth() const {
  const Mark* from = back(std::chrono::seconds(30));
  if (from == nullptr) return std::nullopt;
  const Mark& to = at(size_ - 1);
  return rate(from->used, to.used, to.elapsed - from->elapsed);
}

}  // namespace oomdrill::simulator
