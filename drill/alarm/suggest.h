#pragma once

#include <optional>

#include "alarm/findings.h"

namespace oomdrill::alarm {

/// What a suggestion is to give where nobody asked for a lead.
constexpr seconds kUsefulLead{60};
/// Lower thresholds, in percent of the limit, would be alarms of ordinary days.
constexpr double kLowestPercent = 50;

/// From the first point of the metric to where nothing more can change.
Timing timing_of(const MetricAlarm& alarm, const Series& series, const Incident& incident,
                 const Question& question);

/// Evaluates it over all alignments of the incident, of which there must be a kill.
Alignments alignments_of(const MetricAlarm& alarm, const Series& series, const Incident& incident,
                         const Question& question);

/// It watches how full memory is.
bool can_lead(const MetricAlarm& alarm);

/// Variants of `alarm` are evaluated, from the smallest change on: a lower threshold, one point
/// instead of several, Maximum, the probe's metric in periods of 10 s, shared memory. nullopt: the
/// alarm does not watch how full memory is, or none of them gives `lead` in every alignment.
std::optional<Suggestion> suggest(const MetricAlarm& alarm, const SeriesSet& set,
                                  const Incident& incident, const Question& question, seconds lead);

}  // namespace oomdrill::alarm
