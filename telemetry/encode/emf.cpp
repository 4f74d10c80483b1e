#include <algorithm>
#include <chrono>
#include <cmath>

#include "encode/encoders.h"
#include "encode/object.h"

namespace oomdrill::telemetry {
namespace {

using DimensionSet = std::vector<std::pair<std::string, std::string>>;

std::string_view unit_name(Unit unit) {
  switch (unit) {
    case Unit::bytes:
      return "Bytes";
    case Unit::percent:
      return "Percent";
    case Unit::count:
      return "Count";
    case Unit::seconds:
      return "Seconds";
    case Unit::bytes_per_second:
      return "Bytes/Second";
    case Unit::none:
    case Unit::not_a_metric:
      break;
  }
  return "None";
}

/// Calls `use` for every metric among the first `kept` fields that CloudWatch can take: a member
/// of the root, with a finite value.
template <class Use>
void each_metric(const Event& event, std::size_t kept, Use use) {
  std::size_t depth = 0;
  for (const Event::Field& field : event.fields().first(kept)) {
    if (std::holds_alternative<Event::Open>(field.value)) ++depth;
    if (std::holds_alternative<Event::Close>(field.value) && depth > 0) --depth;
    const double* value = std::get_if<double>(&field.value);
    if (depth == 0 && field.unit != Unit::not_a_metric && value != nullptr &&
        std::isfinite(*value)) {
      use(field);
    }
  }
}

bool named_before(const std::vector<DimensionSet>& sets, std::size_t set, const std::string& name) {
  return std::any_of(sets.begin(), sets.begin() + static_cast<std::ptrdiff_t>(set),
                     [&name](const DimensionSet& earlier) {
                       return std::any_of(earlier.begin(), earlier.end(),
                                          [&name](const auto& pair) { return pair.first == name; });
                     });
}

void put_dimensions(LineWriter& out, const std::vector<DimensionSet>& sets) {
  put_name(out, "Dimensions");
  out.put('[');
  if (sets.empty()) out.put("[]");
  for (std::size_t i = 0; i < sets.size(); ++i) {
    out.put(i == 0 ? "[" : ",[");
    for (std::size_t k = 0; k < sets[i].size(); ++k) {
      if (k > 0) out.put(',');
      put_text(out, sets[i][k].first);
    }
    out.put(']');
  }
  out.put(']');
}

void put_metrics(LineWriter& out, const Event& event, std::size_t kept) {
  put_name(out, "Metrics");
  out.put('[');
  bool first = true;
  each_metric(event, kept, [&](const Event::Field& field) {
    out.put(first ? "{" : ",{");
    first = false;
    put_name(out, "Name");
    put_text(out, field.name);
    put_name(out, "Unit");
    put_text(out, unit_name(field.unit));
    // Without it CloudWatch keeps a point a minute, and an alarm of 10 s periods sees none between.
    put_name(out, "StorageResolution");
    out.put(std::int64_t{1});
    out.put('}');
  });
  out.put(']');
}

void put_aws(LineWriter& out, const Event& event, std::size_t kept, const Context& context) {
  bool any = false;
  each_metric(event, kept, [&any](const Event::Field&) { any = true; });
  if (!any) return;
  const auto& sets = context.dimension_sets;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    for (const auto& [name, value] : sets[i]) {
      if (named_before(sets, i, name)) continue;  // one member, though two sets may use it
      put_name(out, name);
      put_text(out, value);
    }
  }
  put_name(out, "_aws");
  out.put('{');
  put_name(out, "Timestamp");
  out.put(std::int64_t{
      std::chrono::floor<std::chrono::milliseconds>(event.time()).time_since_epoch().count()});
  put_name(out, "CloudWatchMetrics");
  out.put("[{");
  put_name(out, "Namespace");
  put_text(out, context.metric_namespace);
  put_dimensions(out, sets);
  put_metrics(out, event, kept);
  out.put("}]}");
}

}  // namespace

std::size_t encode_emf(const Event& event, std::uint64_t seq, const Context& context,
                       std::span<char> line) {
  return encode_object(event, seq, context, line, put_aws);
}

}  // namespace oomdrill::telemetry
