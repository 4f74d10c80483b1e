#include "predict/heap_model.h"

#include <algorithm>

namespace oomdrill::predict {
namespace {

/// On 64 bit: 8 bytes before each block, multiples of 16, at least 32.
constexpr std::uint64_t kLeastChunk = 32;
constexpr std::uint64_t chunk_of(std::uint64_t block) {
  return std::max(kLeastChunk, (block + 8 + 15) / 16 * 16);
}
/// M_TRIM_THRESHOLD and M_TOP_PAD, as they are by default.
constexpr std::uint64_t kTrim = 128 << 10;
/// Joined holes above it are not looked at as one; no pattern asks for blocks as large.
constexpr std::uint64_t kLargestChunk = std::uint64_t{1} << 31;

}  // namespace

HeapModel::Index HeapModel::make_chunk(std::uint32_t bytes) {
  if (!unused_.empty()) {
    const Index index = unused_.back();
    unused_.pop_back();
    chunks_[index] = {.bytes = bytes};
    return index;
  }
  chunks_.push_back({.bytes = bytes});
  return static_cast<Index>(chunks_.size() - 1);
}

void HeapModel::add_hole(Index index) {
  Chunk& chunk = chunks_[index];
  List& list = holes_[chunk.bytes];
  chunk.is_hole = true;
  chunk.next = kNone;
  chunk.previous = list.last;
  (list.last == kNone ? list.first : chunks_[list.last].next) = index;
  list.last = index;
}

void HeapModel::remove_hole(Index index) {
  Chunk& chunk = chunks_[index];
  const auto it = holes_.find(chunk.bytes);
  List& list = it->second;
  (chunk.previous == kNone ? list.first : chunks_[chunk.previous].next) = chunk.next;
  (chunk.next == kNone ? list.last : chunks_[chunk.next].previous) = chunk.previous;
  if (list.first == kNone) holes_.erase(it);
  chunk.is_hole = false;
  chunk.next = kNone;
  chunk.previous = kNone;
}

HeapModel::Index HeapModel::take(std::uint32_t bytes) {
  const auto hole = holes_.lower_bound(bytes);
  if (hole == holes_.end()) return take_from_top(bytes);
  const Index index = hole->second.first;
  remove_hole(index);
  const std::uint32_t rest = chunks_[index].bytes - bytes;
  // What is too small for a chunk of its own stays with the block.
  if (rest < kLeastChunk) return index;
  const Index remainder = make_chunk(rest);
  Chunk& chunk = chunks_[index];
  chunk.bytes = bytes;
  chunks_[remainder].before = index;
  chunks_[remainder].after = chunk.after;
  (chunk.after == kNone ? last_ : chunks_[chunk.after].before) = remainder;
  chunk.after = remainder;
  add_hole(remainder);
  return index;
}

HeapModel::Index HeapModel::take_from_top(std::uint32_t bytes) {
  const Index index = make_chunk(bytes);
  chunks_[index].before = last_;
  if (last_ != kNone) chunks_[last_].after = index;
  last_ = index;
  end_ += bytes;
  resident_ = std::max(resident_, end_);
  return index;
}

void HeapModel::release(Index index) {
  const auto joinable = [this, index](Index other) {
    return other != kNone && chunks_[other].is_hole &&
           std::uint64_t{chunks_[other].bytes} + chunks_[index].bytes < kLargestChunk;
  };
  const auto absorb = [this, index](Index other) {
    remove_hole(other);
    chunks_[index].bytes += chunks_[other].bytes;
  };
  if (const Index before = chunks_[index].before; joinable(before)) {
    absorb(before);
    chunks_[index].before = chunks_[before].before;
    if (chunks_[before].before != kNone) chunks_[chunks_[before].before].after = index;
    drop(before);
  }
  if (const Index after = chunks_[index].after; joinable(after)) {
    absorb(after);
    chunks_[index].after = chunks_[after].after;
    (chunks_[after].after == kNone ? last_ : chunks_[chunks_[after].after].before) = index;
    drop(after);
  }
  if (chunks_[index].after != kNone) {
    add_hole(index);
    return;
  }
  // It lies below the top, and becomes a part of it.
  end_ -= chunks_[index].bytes;
  last_ = chunks_[index].before;
  if (last_ != kNone) chunks_[last_].after = kNone;
  drop(index);
  // Give or take a page: that much stays of the top.
  const std::uint64_t pad = kTrim / scale_;
  if (resident_ > end_ + pad) resident_ = end_ + pad;
}

void HeapModel::allocate(const plan::Allocate& blocks) {
  Group& group = groups_[blocks.group];
  const auto bytes = static_cast<std::uint32_t>(
      std::min(chunk_of(blocks.block_bytes), kLargestChunk - 1) / 16 * 16);
  group.owed += blocks.count;
  for (; group.owed >= scale_; group.owed -= scale_) {
    const Index index = take(bytes);
    chunks_[index].next = kNone;
    List& list = group.blocks;
    (list.last == kNone ? list.first : chunks_[list.last].next) = index;
    list.last = index;
    ++group.count;
    ++operations_;
  }
}

template <class Keep>
void HeapModel::thin_out(std::uint32_t id, Keep keep) {
  const auto it = groups_.find(id);
  if (it == groups_.end()) return;
  Group kept;
  std::uint64_t position = 0;
  for (Index index = it->second.blocks.first; index != kNone; ++position) {
    const Index next = chunks_[index].next;
    chunks_[index].next = kNone;
    if (keep(position)) {
      List& list = kept.blocks;
      (list.last == kNone ? list.first : chunks_[list.last].next) = index;
      list.last = index;
      ++kept.count;
    } else {
      release(index);
      ++operations_;
    }
    index = next;
  }
  if (kept.count == 0) {
    groups_.erase(it);
  } else {
    kept.owed = it->second.owed;
    it->second = kept;
  }
}

void HeapModel::free_most(const plan::FreeMost& rule) {
  thin_out(rule.group, [&rule](std::uint64_t position) {
    return position >= rule.offset && (position - rule.offset) % rule.keep_every == 0;
  });
}

void HeapModel::free_sampled(const plan::FreeSampled& rule) {
  const auto it = groups_.find(rule.group);
  if (it == groups_.end()) return;
  plan::FreeSampled scaled = rule;
  // To the nearest: a batch is many times the scale, or its error averages out.
  scaled.count = (rule.count + rule.seed % scale_) / scale_;
  plan::SampledPositions positions(scaled, it->second.count);
  operations_ += it->second.count / 4;  // the walk
  auto position = positions.next();
  thin_out(rule.group, [&](std::uint64_t at) {
    if (position != at) return true;
    position = positions.next();
    return false;
  });
}

}  // namespace oomdrill::predict
