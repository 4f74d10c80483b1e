#include "report/chart.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "report/escape.h"

namespace oomdrill::report {
namespace {

constexpr double kLeft = 76;
constexpr double kRight = 14;
constexpr double kTop = 26;
constexpr double kBottom = 40;
constexpr std::size_t kCurveClasses = 6;

constexpr std::array kTimeSteps = {
    0.1,  0.2,  0.5,   1.0,   2.0,   5.0,    10.0,   15.0,   30.0,   60.0,    120.,    300.,
    600., 900., 1800., 3600., 7200., 10800., 21600., 43200., 86400., 172800., 604800., 2592000.};

/// The steps of an axis from `low` to `high`, at most `most`.
double step_of_time(double span, double most) {
  for (const double step : kTimeSteps) {
    if (span / step <= most) return step;
  }
  return kTimeSteps.back() * std::ceil(span / kTimeSteps.back() / most);
}

double step_of_bytes(double most_bytes, double most) {
  double step = 1024;
  while (most_bytes / step > most) step *= 2;
  return step;
}

std::string time_label(double at, double step) {
  if (step < 1) return fmt::format("{:.1f} s", at);
  if (step < 60) return fmt::format("{:.0f} s", at);
  if (step < 3600) return fmt::format("{:.0f} min", at / 60);
  if (step < 86400) return fmt::format("{:.0f} h", at / 3600);
  return fmt::format("{:.0f} d", at / 86400);
}

std::string bytes_label(double bytes) {
  const std::array<std::string_view, 4> units = {"KiB", "MiB", "GiB", "TiB"};
  double value = bytes / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:g} {}", value, units[unit]);
}

}  // namespace

std::string chart_data(const Chart& chart) {
  using Json = nlohmann::ordered_json;
  Json data = {{"title", clean_text(chart.title)},
               {"labels", Json::array()},
               {"rows", Json::array()},
               {"levels", Json::array()},
               {"marks", Json::array()}};
  // One row a time, in milliseconds; a curve that has nothing there is null.
  std::map<std::int64_t, std::vector<Json>> rows;
  for (std::size_t i = 0; i < chart.curves.size(); ++i) {
    data["labels"].push_back(clean_text(chart.curves[i].label));
    for (const auto& [at, bytes] : chart.curves[i].points) {
      auto& row = rows[std::llround(at * 1e3)];
      row.resize(chart.curves.size());
      row[i] = std::llround(bytes);
    }
  }
  for (auto& [at, values] : rows) {
    Json row = {static_cast<double>(at) / 1e3};
    for (Json& value : values) row.push_back(std::move(value));
    data["rows"].push_back(std::move(row));
  }
  for (const Chart::Level& level : chart.levels) {
    data["levels"].push_back({{"label", clean_text(level.label)}, {"bytes", level.bytes}});
  }
  for (const Chart::Mark& mark : chart.marks) {
    data["marks"].push_back(
        {{"label", clean_text(mark.label)}, {"at_s", mark.at_s}, {"kill", mark.kill}});
  }
  // The one character that could end the element stands in texts only.
  std::string text;
  for (const char c : data.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

std::string curve_class(std::size_t index) { return fmt::format("c{}", index % kCurveClasses); }

std::string svg(const Chart& chart, const std::string& id, double width, double height) {
  double first = HUGE_VAL;
  double last = -HUGE_VAL;
  double most = 0;
  for (const Chart::Curve& curve : chart.curves) {
    for (const auto& [at, bytes] : curve.points) {
      first = std::min(first, at);
      last = std::max(last, at);
      most = std::max(most, bytes);
    }
  }
  for (const Chart::Level& level : chart.levels) most = std::max(most, level.bytes);
  if (!(first < last)) {
    first = std::isfinite(first) ? first : 0;
    last = first + 1;
  }
  for (const Chart::Mark& mark : chart.marks) {
    first = std::min(first, mark.at_s);
    last = std::max(last, mark.at_s);
  }
  most = std::max(most * 1.04, 1024.0);

  const double wide = width - kLeft - kRight;
  const double high = height - kTop - kBottom;
  const auto x = [&](double at) { return kLeft + (at - first) / (last - first) * wide; };
  const auto y = [&](double bytes) { return kTop + high - bytes / most * high; };

  std::string out = fmt::format(
      "<svg viewBox=\"0 0 {:g} {:g}\" role=\"img\" aria-labelledby=\"{}-t {}-d\">\n"
      "<title id=\"{}-t\">{}</title><desc id=\"{}-d\">{}</desc>\n",
      width, height, id, id, id, html_text(chart.title), id, html_text(chart.description));

  const double bytes_step = step_of_bytes(most, 5);
  for (double bytes = 0; bytes <= most; bytes += bytes_step) {
    out += fmt::format(
        "<line class=\"grid\" x1=\"{:g}\" x2=\"{:g}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text x=\"{:g}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
        kLeft, kLeft + wide, y(bytes), y(bytes), kLeft - 7, y(bytes) + 4,
        bytes > 0 ? bytes_label(bytes) : "0");
  }
  const double time_step = step_of_time(last - first, wide / 74);
  for (double at = std::ceil(first / time_step) * time_step; at <= last + time_step * 1e-6;
       at += time_step) {
    out += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:g}\" y2=\"{2:g}\"/>"
        "<text x=\"{0:.1f}\" y=\"{3:g}\" text-anchor=\"{4}\">{5}</text>\n",
        x(at), kTop, kTop + high + 5, kTop + high + 20,
        x(at) > kLeft + wide - 18 ? "end" : "middle",
        time_label(std::abs(at) < 1e-9 ? 0 : at, time_step));
  }
  for (const Chart::Level& level : chart.levels) {
    out += fmt::format(
        "<line class=\"level\" x1=\"{:g}\" x2=\"{:g}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text class=\"on\" x=\"{:g}\" y=\"{:.1f}\">{}</text>\n",
        kLeft, kLeft + wide, y(level.bytes), y(level.bytes), kLeft + 6, y(level.bytes) - 5,
        html_text(level.label));
  }
  for (std::size_t i = 0; i < chart.curves.size(); ++i) {
    const Chart::Curve& curve = chart.curves[i];
    if (curve.points.empty()) continue;
    out += fmt::format("<polyline class=\"curve {}\" points=\"", curve_class(i));
    for (const auto& [at, bytes] : curve.points)
      out += fmt::format("{:.1f},{:.1f} ", x(at), y(bytes));
    out += fmt::format("\"><title>{}</title></polyline>\n", html_text(curve.label));
  }
  for (std::size_t i = 0; i < chart.marks.size(); ++i) {
    const Chart::Mark& mark = chart.marks[i];
    const bool right = x(mark.at_s) > kLeft + wide / 2;
    out += fmt::format(
        "<line class=\"mark{}\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:g}\" y2=\"{:g}\"/>"
        "<text class=\"on\" x=\"{:.1f}\" y=\"{:g}\" text-anchor=\"{}\">{}</text>\n",
        mark.kill ? " kill" : "", x(mark.at_s), x(mark.at_s), kTop - 6, kTop + high,
        x(mark.at_s) + (right ? -5 : 5),
        mark.kill ? kTop - 10 : kTop + 30 + 15 * static_cast<double>(i % 6),
        right ? "end" : "start", html_text(mark.label));
  }
  return out + "</svg>\n";
}

}  // namespace oomdrill::report
