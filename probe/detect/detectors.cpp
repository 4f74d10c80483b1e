#include "detect/detectors.h"

#include <array>

namespace oomdrill::probe {
namespace {

constexpr std::array kDetectors = {
    Detector{"oom_kill", "the OOM counter rose", true, detect_oom_kill},
    Detector{"limit_change", "the effective limit is another", false, detect_limit_change},
    Detector{"threshold", "demand crossed a threshold", false, detect_threshold},
    Detector{"growth", "what cannot be reclaimed grows towards the limit", false, detect_growth},
    Detector{"pressure", "reclaim, stalls or throttling", false, detect_pressure},
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
                      [this](const GrowthFound& f) {
                        growth_told = f.growing ? std::optional(f.eta) : std::nullopt;
                      },
                      [this](const PressureChanged& f) {
                        pressure[f.cause] = f.up ? std::optional(now_at) : std::nullopt;
                      },
                      [this](const OomKilled& f) {
                        own = f.own_after;
                        hierarchical = f.hierarchical_after;
                      }},
             finding);
}

}  // namespace oomdrill::probe
