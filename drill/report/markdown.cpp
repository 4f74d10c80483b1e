#include <algorithm>

#include "report/document.h"
#include "report/escape.h"

namespace oomdrill::report {
namespace {

class Markdown {
 public:
  explicit Markdown(std::string& out) : out_(out) {}

  void operator()(const Paragraph& paragraph) { out_ += markdown_text(paragraph.text) + "\n\n"; }

  void operator()(const Table& table) {
    out_ += markdown_text(table.caption) + "\n\n";
    row(table.header);
    out_ += '|';
    for (std::size_t i = 0; i < table.header.size(); ++i) out_ += " --- |";
    out_ += '\n';
    for (const auto& cells : table.rows) row(cells);
    out_ += '\n';
  }

  void operator()(const Commands& commands) {
    // A fence is longer than any run of backticks within it.
    std::size_t longest = 2;
    for (const auto& line : commands.lines) {
      std::size_t run = 0;
      for (const char c : line) longest = std::max(longest, run = c == '`' ? run + 1 : 0);
    }
    const std::string fence(longest + 1, '`');
    out_ += fence + "sh\n";
    for (const auto& line : commands.lines) out_ += clean_text(line) + "\n";
    out_ += fence + "\n\n";
  }

  void operator()(const Chart& chart) {
    out_ += markdown_text(chart.title + ": " + chart.description) + "\n\n";
  }

 private:
  void row(const std::vector<std::string>& cells) {
    out_ += '|';
    for (const auto& cell : cells) out_ += " " + markdown_text(cell) + " |";
    out_ += '\n';
  }
  std::string& out_;
};

}  // namespace

std::string markdown(const Document& document) {
  std::string out =
      "# " + markdown_text(document.title) + "\n\n" + markdown_text(document.summary) + "\n\n";
  Markdown render(out);
  for (const Section& section : document.sections) {
    out += "## " + markdown_text(section.heading) + "\n\n";
    for (const Block& block : section.blocks) std::visit(render, block);
  }
  out.pop_back();
  return out;
}

}  // namespace oomdrill::report
