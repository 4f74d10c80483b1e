#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

/// What a report says, before it is HTML, Markdown or JSON. Every text here is plain: whoever
/// renders it escapes it, so that nothing that a recording holds becomes markup.
namespace oomdrill::report {

struct Paragraph {
  std::string text;
};

struct Table {
  std::string caption;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

/// Commands to be typed, one a line.
struct Commands {
  std::vector<std::string> lines;
};

/// Bytes over seconds.
struct Chart {
  struct Curve {
    std::string label;
    std::vector<std::pair<double, double>> points;
  };
  /// A horizontal line.
  struct Level {
    std::string label;
    double bytes;
  };
  /// A vertical line.
  struct Mark {
    std::string label;
    double at_s;
    bool kill = false;
  };
  std::string title;
  std::string description;  ///< what is to be seen, for those who do not see it
  std::vector<Curve> curves;
  std::vector<Level> levels;
  std::vector<Mark> marks;
};

using Block = std::variant<Paragraph, Table, Commands, Chart>;

struct Section {
  std::string heading;
  std::vector<Block> blocks;
};

struct Document {
  std::string title;
  std::string summary;
  std::vector<Section> sections;
};

/// One file that loads nothing; it runs the one script that draws its charts, and none else.
std::string html(const Document& document);
/// GitHub's dialect, for a pull request. Charts are told by their descriptions.
std::string markdown(const Document& document);
std::string json(const Document& document);

}  // namespace oomdrill::report
