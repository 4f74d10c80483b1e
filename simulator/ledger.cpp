#include "ledger.h"

#include <algorithm>
#include <cstring>

namespace oomdrill::simulator {
namespace {

// The list of a group: each block's first word is the handle of the next one, 0 at the end.
std::uintptr_t next_of(std::uintptr_t block) {
  std::uintptr_t next = 0;
  std::memcpy(&next, reinterpret_cast<const void*>(block), sizeof next);
  return next;
}

void link(std::uintptr_t block, std::uintptr_t next) {
  std::memcpy(reinterpret_cast<void*>(block), &next, sizeof next);
}

}  // namespace

void Ledger::release_all() {
  for (const memory::Block& block : grown_) memory_->release(block);
  for (const auto& [id, group] : groups_) {
    for (std::uintptr_t block = group.first; block != 0;) {
      const std::uintptr_t next = next_of(block);
      memory_->release({block, group.block_bytes});
      block = next;
    }
  }
  memory_->reset();
  grown_.clear();
  groups_.clear();
  live_ = 0;
  to_shrink_ = 0;
  touch_block_ = 0;
  touch_offset_ = 0;
  touch_small_ = 0;
}

Result<void> Ledger::apply(const plan::Action& action, std::uint64_t most,
                           const KeepGoing& keep_going) {
  if (const auto* to_grow = std::get_if<plan::Grow>(&action)) {
    return grow(std::min(to_grow->bytes, most - std::min(live_, most)), keep_going);
  }
  if (const auto* to_allocate = std::get_if<plan::Allocate>(&action)) {
    return allocate(*to_allocate, most, keep_going);
  }
  if (const auto* to_shrink = std::get_if<plan::Shrink>(&action)) shrink(to_shrink->bytes);
  if (const auto* rule = std::get_if<plan::FreeMost>(&action)) free_most(*rule);
  return {};
}

Result<void> Ledger::grow(std::uint64_t bytes, const KeepGoing& keep_going) {
  bool going = true;
  while (bytes > 0 && going) {
    auto block = memory_->reserve(bytes);
    if (!block) return fail(block.error());
    bytes -= block->bytes;
    std::uint64_t written = 0;
    Result<void> status;
    while (written < block->bytes && going && status) {
      const std::uint64_t slice = std::min(kSlice, block->bytes - written);
      status = memory_->write(*block, written, slice);
      if (!status) break;
      written += slice;
      wrote(slice);
      going = keep_going();
    }
    block->bytes = written;
    record(*block);
    if (!status) return status;
  }
  return {};
}

void Ledger::record(const memory::Block& block) {
  if (kind_->divisible && !grown_.empty() &&
      grown_.back().handle + grown_.back().bytes == block.handle) {
    grown_.back().bytes += block.bytes;
  } else {
    grown_.push_back(block);
  }
}

void Ledger::shrink(std::uint64_t bytes) {
  to_shrink_ += bytes;
  while (!grown_.empty() && to_shrink_ > 0) {
    memory::Block& oldest = grown_.front();
    if (oldest.bytes > to_shrink_ && !kind_->divisible) return;
    memory::Block part{oldest.handle, std::min(oldest.bytes, to_shrink_)};
    const bool last = grown_.size() == 1 && part.bytes == oldest.bytes;
    if (kind_->divisible && !last) {
      const std::uint64_t end = oldest.handle + part.bytes;
      const std::uint64_t whole = end - end % memory_->granule();
      if (whole <= oldest.handle) return;
      part.bytes = whole - oldest.handle;
    }
    memory_->release(part);
    live_ -= part.bytes;
    to_shrink_ -= part.bytes;
    oldest.handle += part.bytes;
    oldest.bytes -= part.bytes;
    touch_offset_ -= touch_block_ == 0 ? std::min(touch_offset_, part.bytes) : 0;
    if (oldest.bytes == 0) {
      grown_.pop_front();
      if (touch_block_ > 0) --touch_block_;
    }
  }
  if (grown_.empty()) {
    to_shrink_ = 0;
    if (groups_.empty()) memory_->reset();
  }
}

Result<void> Ledger::allocate(const plan::Allocate& step, std::uint64_t most,
                              const KeepGoing& keep_going) {
  Group& group = groups_[step.group];
  group.block_bytes = step.block_bytes;
  std::uint64_t since_asked = 0;
  for (std::uint64_t i = 0; i < step.count && live_ + step.block_bytes <= most; ++i) {
    const auto block = memory_->reserve(step.block_bytes);
    if (!block) return fail(block.error());
    if (auto status = memory_->write(*block, 0, step.block_bytes); !status) {
      memory_->release(*block);
      return status;
    }
    link(block->handle, 0);
    if (group.count == 0) {
      group.first = block->handle;
    } else {
      link(group.last, block->handle);
    }
    group.last = block->handle;
    ++group.count;
    wrote(step.block_bytes);
    since_asked += step.block_bytes;
    if (since_asked >= kSlice) {
      since_asked = 0;
      if (!keep_going()) break;
    }
  }
  return {};
}

void Ledger::free_most(const plan::FreeMost& rule) {
  const auto it = groups_.find(rule.group);
  if (it == groups_.end()) return;
  Group& group = it->second;
  if (touch_group_ == rule.group) touch_small_ = 0;
  Group kept{.block_bytes = group.block_bytes};
  std::uint64_t index = 0;
  for (std::uintptr_t block = group.first; block != 0; ++index) {
    const std::uintptr_t next = next_of(block);
    if (index >= rule.offset && (index - rule.offset) % rule.keep_every == 0) {
      if (kept.count == 0) {
        kept.first = block;
      } else {
        link(kept.last, block);
      }
      kept.last = block;
      ++kept.count;
    } else {
      memory_->release({block, group.block_bytes});
      live_ -= group.block_bytes;
    }
    block = next;
  }
  if (kept.count == 0) {
    groups_.erase(it);
  } else {
    link(kept.last, 0);
    group = kept;
  }
}

std::uint64_t Ledger::touch(std::uint64_t bytes) {
  const std::uint64_t wanted = std::min(bytes, live_);
  std::uint64_t touched = 0;
  for (bool began = false; touched < wanted;) {
    const std::uint64_t before = touched;
    touched += touch_grown(wanted - touched);
    if (touched < wanted) touched += touch_groups(wanted - touched);
    // A block that is being written is live, but not on the list yet.
    if (touched >= wanted || (touched == before && began)) break;
    began = true;
    touch_block_ = 0;
    touch_offset_ = 0;
    touch_group_ = 0;
    touch_small_ = 0;
  }
  return touched;
}

std::uint64_t Ledger::touch_grown(std::uint64_t bytes) {
  std::uint64_t touched = 0;
  while (touched < bytes && touch_block_ < grown_.size()) {
    const memory::Block& block = grown_[touch_block_];
    const std::uint64_t part =
        std::min(bytes - touched, block.bytes - std::min(touch_offset_, block.bytes));
    if (part > 0) memory_->touch(block, touch_offset_, part);
    touched += part;
    touch_offset_ += part;
    if (touch_offset_ >= block.bytes) {
      ++touch_block_;
      touch_offset_ = 0;
    }
  }
  return touched;
}

std::uint64_t Ledger::touch_groups(std::uint64_t bytes) {
  std::uint64_t touched = 0;
  for (auto group = groups_.lower_bound(touch_group_); group != groups_.end(); ++group) {
    const bool same = group->first == touch_group_;
    std::uintptr_t block = same && touch_small_ != 0 ? touch_small_ : group->second.first;
    touch_group_ = group->first;
    for (; block != 0; block = next_of(block)) {
      touch_small_ = block;
      if (touched >= bytes) return touched;
      memory_->touch({block, group->second.block_bytes}, 0, group->second.block_bytes);
      touched += group->second.block_bytes;
    }
    touch_small_ = 0;
    if (touch_group_ < UINT32_MAX) ++touch_group_;
  }
  return touched;
}

void Ledger::wrote(std::uint64_t bytes) {
  live_ += bytes;
  allocated_ += bytes;
}

}  // namespace oomdrill::simulator
