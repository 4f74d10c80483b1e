#include "expectation.h"

#include <algorithm>
#include <string>

namespace oomdrill::simulator {
namespace {

constexpr std::array<std::string_view, 3> kExpectNames = {"oom", "survive", "plateau"};
constexpr std::array<std::string_view, 3> kVerdictNames = {"met", "unmet", "unjudged"};

}  // namespace

std::string_view name(Expect expect) { return kExpectNames[static_cast<std::size_t>(expect)]; }
std::string_view name(Verdict verdict) { return kVerdictNames[static_cast<std::size_t>(verdict)]; }

Result<Expect> parse_expect(std::string_view text) {
  const auto it = std::find(kExpectNames.begin(), kExpectNames.end(), text);
  if (it == kExpectNames.end()) {
    return fail("'" + std::string(text) + "' is no end to expect", {},
                "choose one of oom, survive, plateau");
  }
  return static_cast<Expect>(it - kExpectNames.begin());
}

void Curve::add(Nanoseconds elapsed, std::uint64_t used) {
  peak_ = std::max(peak_, used);
  if (elapsed < next_ && size_ > 0) {
    highest_[size_ - 1] = std::max(highest_[size_ - 1], used);
    return;
  }
  if (size_ == kCapacity) {
    for (std::size_t i = 0; i < kCapacity / 2; ++i) {
      highest_[i] = std::max(highest_[2 * i], highest_[2 * i + 1]);
    }
    size_ = kCapacity / 2;
    interval_ *= 2;
  }
  highest_[size_++] = used;
  next_ = elapsed + interval_;
}

std::optional<std::uint64_t> Curve::late_growth() const {
  if (size_ < kLeast) return std::nullopt;
  const auto* begin = highest_.data();
  const auto* late = begin + (size_ - size_ / 3);
  const std::uint64_t before = *std::max_element(begin, late);
  const std::uint64_t after = *std::max_element(late, begin + size_);
  return after > before ? after - before : 0;
}

std::string_view Ending::outcome() const {
  if (oom_kills > 0) return "oom_killed";
  if (killed + unknown_kills > 0) return "killed";
  return failure != 0 ? "failed" : "survived";
}

Verdict judge(Expect expect, const Ending& ending) {
  if (expect == Expect::oom) {
    if (ending.oom_kills > 0) return Verdict::met;
    return ending.unknown_kills > 0 ? Verdict::unjudged : Verdict::unmet;
  }
  if (ending.outcome() != "survived" || ending.other_oom_kills > 0) return Verdict::unmet;
  if (expect == Expect::survive) return Verdict::met;
  if (!ending.late_growth) return Verdict::unjudged;
  return *ending.late_growth <= ending.limit.value_or(ending.peak) / 100 ? Verdict::met
                                                                         : Verdict::unmet;
}

}  // namespace oomdrill::simulator
