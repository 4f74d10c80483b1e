#include "detect/detectors.h"

#include <array>

namespace oomdrill::probe {
namespace {

constexpr std::array kDetectors = {
    Detector{"oom_kill", "the OOM counter rose", true, detect_oom_kill},
    Detector{"limit_change", "the effective limit is another", false, detect_limit_change},
    Detector{"threshold", "demand crossed a threshold", false, detect_threshold},
    Detector{"last_words", "the limit is near: tell the state ahead", false, detect_last_words},
};

template <class... F>
struct Overload : F... {
  using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;

}  // namespace

std::span<const Detector> detectors() { return kDetectors; }

void History::note(const Finding& finding) {
  std::visit(Overload{[this](const ThresholdCrossed& f) { crossed = f.crossed; },
                      [this](const LimitChanged& f) { limit = f.current; },
                      [this](const LastWords& f) { told = f.demand; },
                      [this](const OomKilled& f) {
                        own = f.own_after;
                        hierarchical = f.hierarchical_after;
                      }},
             finding);
}

}  // namespace oomdrill::probe
