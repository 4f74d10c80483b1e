#pragma once

#include <span>
#include <string_view>

namespace oomdrill::report {

/// What draws the charts in a browser: dygraphs with its licence, and charts.js, in pieces that
/// follow each other. Made by cmake/embed.cmake; nothing in it ends a <script>.
std::span<const std::string_view> charts_script();
/// Of all of it, as a Content-Security-Policy names it: "sha256-…".
std::string_view charts_script_hash();

}  // namespace oomdrill::report
