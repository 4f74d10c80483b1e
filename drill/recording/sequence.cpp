#include "recording/sequence.h"

#include <algorithm>
#include <utility>

namespace oomdrill::recording {

Sequence::Place Sequence::place(const Mark& mark) {
  std::uint64_t& seen = seen_[(mark.run + mark.seq.value_or(mark.fingerprint)) % kSeen];
  if (std::exchange(seen, mark.fingerprint) == mark.fingerprint) return Place::duplicate;
  if (gap_) return Place::held;
  if (!mark.seq) return Place::next;
  if (last_.size() >= kMostRuns) last_.clear();
  const auto [at, fresh] = last_.try_emplace(mark.run, *mark.seq);
  // A count that steps back is a writer that started anew.
  if (!fresh && *mark.seq > at->second && *mark.seq - at->second > 1) {
    gap_ = Gap{mark.run, at->second + 1, *mark.seq - 1, *mark.seq - at->second - 1};
    return Place::held;
  }
  at->second = *mark.seq;
  return Place::next;
}

bool Sequence::hold(const Mark& mark, std::uint64_t line, std::uint64_t identity,
                    std::string_view text) {
  if (gap_ && mark.run == gap_->run && mark.seq && *mark.seq >= gap_->from &&
      *mark.seq <= gap_->to) {
    --gap_->missing;
  }
  held_.push_back({mark, line, identity, std::string(text)});
  held_bytes_ += text.size();
  return !gap_ || gap_->missing == 0 || held_.size() >= kMostHeld || held_bytes_ >= kMostBytes;
}

std::vector<Sequence::Held> Sequence::take() {
  std::stable_sort(held_.begin(), held_.end(), [](const Held& a, const Held& b) {
    if (a.mark.time != b.mark.time) return a.mark.time < b.mark.time;
    return a.mark.run == b.mark.run && a.mark.seq < b.mark.seq;
  });
  for (const Held& each : held_) {
    if (each.mark.seq) last_[each.mark.run] = *each.mark.seq;
  }
  gap_.reset();
  held_bytes_ = 0;
  return std::exchange(held_, {});
}

}  // namespace oomdrill::recording
