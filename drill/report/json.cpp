#include <nlohmann/json.hpp>

#include "report/document.h"

namespace oomdrill::report {
namespace {

using Json = nlohmann::ordered_json;

Json block_of(const Paragraph& paragraph) { return {{"text", paragraph.text}}; }

Json block_of(const Table& table) {
  return {{"table", table.caption}, {"header", table.header}, {"rows", table.rows}};
}

Json block_of(const Commands& commands) { return {{"commands", commands.lines}}; }

Json block_of(const Chart& chart) {
  Json json = {{"chart", chart.title}, {"description", chart.description}};
  json["curves"] = Json::array();
  for (const auto& curve : chart.curves) {
    Json points = Json::array();
    for (const auto& [at, bytes] : curve.points) points.push_back({at, bytes});
    json["curves"].push_back({{"label", curve.label}, {"points_s_bytes", points}});
  }
  json["levels"] = Json::array();
  for (const auto& level : chart.levels) {
    json["levels"].push_back({{"label", level.label}, {"bytes", level.bytes}});
  }
  json["marks"] = Json::array();
  for (const auto& mark : chart.marks) {
    json["marks"].push_back({{"label", mark.label}, {"at_s", mark.at_s}});
  }
  return json;
}

}  // namespace

std::string json(const Document& document) {
  Json json = {{"title", document.title}, {"summary", document.summary}};
  json["sections"] = Json::array();
  for (const Section& section : document.sections) {
    Json blocks = Json::array();
    for (const Block& block : section.blocks) {
      blocks.push_back(std::visit([](const auto& each) { return block_of(each); }, block));
    }
    json["sections"].push_back({{"heading", section.heading}, {"blocks", blocks}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace oomdrill::report
