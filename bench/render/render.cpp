// The results page, by the renderer of the post-incident report. scripts/bench hands a document on
// stdin: {"title", "summary", "sections": [{"heading", "blocks": [{"paragraph"} | {"commands"} |
// {"caption", "header", "rows"} | {"chart": {"title", "description", "curves": [{"label",
// "points": [[seconds, bytes]…]}], "levels": [{"label", "bytes"}]}}]}]}.
//   bench_render --html FILE --markdown FILE < DOCUMENT
#include <fmt/core.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "report/document.h"

namespace {

using namespace oomdrill;
using nlohmann::json;

report::Chart chart(const json& from) {
  report::Chart made;
  made.title = from.at("title").get<std::string>();
  made.description = from.at("description").get<std::string>();
  for (const json& curve : from.at("curves")) {
    auto& added = made.curves.emplace_back();
    added.label = curve.at("label").get<std::string>();
    for (const json& point : curve.at("points")) {
      added.points.emplace_back(point.at(0).get<double>(), point.at(1).get<double>());
    }
  }
  for (const json& level : from.value("levels", json::array())) {
    made.levels.push_back({level.at("label").get<std::string>(), level.at("bytes").get<double>()});
  }
  return made;
}

report::Block block(const json& from) {
  if (from.contains("paragraph")) return report::Paragraph{from["paragraph"].get<std::string>()};
  if (from.contains("commands")) {
    return report::Commands{from["commands"].get<std::vector<std::string>>()};
  }
  if (from.contains("chart")) return chart(from["chart"]);
  return report::Table{from.at("caption").get<std::string>(),
                       from.at("header").get<std::vector<std::string>>(),
                       from.at("rows").get<std::vector<std::vector<std::string>>>()};
}

report::Document document(const json& from) {
  report::Document made;
  made.title = from.at("title").get<std::string>();
  made.summary = from.at("summary").get<std::string>();
  for (const json& section : from.at("sections")) {
    auto& added = made.sections.emplace_back();
    added.heading = section.at("heading").get<std::string>();
    for (const json& each : section.at("blocks")) added.blocks.push_back(block(each));
  }
  return made;
}

bool write(const char* path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  out.close();
  if (!out) fmt::print(stderr, "bench_render: {}: cannot be written\n", path);
  return static_cast<bool>(out);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 || std::string(argv[1]) != "--html" || std::string(argv[3]) != "--markdown") {
    fmt::print(stderr, "usage: bench_render --html FILE --markdown FILE < DOCUMENT\n");
    return 64;
  }
  try {
    const report::Document page = document(json::parse(std::cin));
    return write(argv[2], report::html(page)) && write(argv[4], report::markdown(page)) ? 0 : 74;
  } catch (const json::exception& error) {
    fmt::print(stderr, "bench_render: stdin: {}\n", error.what());
    return 65;
  }
}
