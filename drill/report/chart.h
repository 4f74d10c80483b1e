#pragma once

#include <string>

#include "report/document.h"

namespace oomdrill::report {

/// The chart as inline SVG, `width` units wide, coloured by the classes of html()'s style sheet.
/// `id` is unique in the page.
std::string svg(const Chart& chart, const std::string& id, double width, double height);

/// What charts.js draws, as JSON that may stand in a <script> element.
std::string chart_data(const Chart& chart);

/// A line's class, by its place among the curves.
std::string curve_class(std::size_t index);

}  // namespace oomdrill::report
