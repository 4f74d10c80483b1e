#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "detect/finding.h"
#include "detect/history.h"
#include "detect/policy.h"
#include "source/reading.h"

namespace oomdrill::probe {

/// Pure: what `now` adds to what `history` has already told. It is asked again after its finding
/// was noted, until it has no more.
using Detect = std::optional<Finding> (*)(const Reading& now, const History& history,
                                          const Policy& policy);

struct Detector {
  std::string_view name;
  std::string_view help;
  bool counters_suffice = false;  ///< also asked when only the counters were read
  Detect detect;
};

/// The one table, in the order in which findings of one look are told.
std::span<const Detector> detectors();

std::optional<Finding> detect_oom_kill(const Reading&, const History&, const Policy&);
std::optional<Finding> detect_limit_change(const Reading&, const History&, const Policy&);
std::optional<Finding> detect_threshold(const Reading&, const History&, const Policy&);
std::optional<Finding> detect_last_words(const Reading&, const History&, const Policy&);

std::optional<Finding> detect_growth(const Reading&, const History&, const Policy&);
std::optional<Finding> detect_pressure(const Reading&, const History&, const Policy&);

/// stalled, limit_hits, refaults, throttled.
std::string_view pressure_cause_name(std::size_t cause);

}  // namespace oomdrill::probe
