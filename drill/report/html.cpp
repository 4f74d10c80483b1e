#include <fmt/core.h>

#include "report/chart.h"
#include "report/charts_script.h"
#include "report/document.h"
#include "report/escape.h"

namespace oomdrill::report {
namespace {

/// Colours are told apart by dashes, too; all are above 4.5 to 1 on their background.
constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--bg:#fff;--fg:#1c1f23;--dim:#565d66;--line:#d5d9de;--soft:#f4f6f8;--c0:#0b5cad;--c1:#b34700;--c2:#1b7340;--c3:#6b3fa0;--c4:#8a6100;--c5:#a3005c;--kill:#c00020}
@media(prefers-color-scheme:dark){:root{--bg:#16181b;--fg:#e6e8ea;--dim:#a3abb4;--line:#3a4048;--soft:#202429;--c0:#6cb0ff;--c1:#ff9d5c;--c2:#63d18f;--c3:#c3a2ff;--c4:#e5c04b;--c5:#ff8cc6;--kill:#ff6b7f}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:58rem;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .8rem}
h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
p{max-width:46rem;margin:.6rem 0;overflow-wrap:anywhere}
.summary{font-size:1.05rem;padding:.8rem 1rem;background:var(--soft);border-left:4px solid var(--kill)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:.8rem 0;font-size:.92rem}
caption{text-align:left;color:var(--dim);padding-bottom:.3rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--line);overflow-wrap:break-word;max-width:34rem}
caption span{display:inline-block;max-width:min(46rem,calc(100vw - 1.8rem))}
th{font-weight:600}th,.short{white-space:nowrap}
td:not(:last-child){min-width:5.2rem}td:last-child{min-width:9rem}
figure{margin:1rem 0}
figcaption{color:var(--dim);font-size:.92rem;margin-top:.3rem}
svg{display:block;width:100%;height:auto}
svg text{font:13px system-ui,sans-serif;fill:var(--dim)}
svg text.on{fill:var(--fg);paint-order:stroke;stroke:var(--bg);stroke-width:4px}
.grid{stroke:var(--line)}
.level{stroke:var(--fg);stroke-dasharray:7 4}
.mark{stroke:var(--dim);stroke-dasharray:2 3}
.mark.kill{stroke:var(--kill);stroke-width:2;stroke-dasharray:none}
.curve{fill:none;stroke-width:2.2;stroke-linejoin:round}
.c0{stroke:var(--c0)}.c1{stroke:var(--c1);stroke-dasharray:9 4}.c2{stroke:var(--c2);stroke-dasharray:3 3}.c3{stroke:var(--c3);stroke-dasharray:12 3 3 3}.c4{stroke:var(--c4);stroke-dasharray:6 2}.c5{stroke:var(--c5);stroke-dasharray:2 5}
ul.key{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;margin:.4rem 0;padding:0;font-size:.92rem}
ul.key svg{display:inline-block;width:34px;height:10px;vertical-align:middle;margin-right:.4rem}
pre{background:var(--soft);padding:.8rem 1rem;overflow-x:auto;font-size:.88rem;line-height:1.6}
.plot{width:100%;height:340px;position:relative}
.plot:focus-visible,button:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
.plot .label{position:absolute;z-index:2;padding:0 3px;font-size:13px;line-height:17px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;text-shadow:0 0 2px var(--bg),0 0 2px var(--bg),0 0 4px var(--bg);color:var(--fg);pointer-events:none}
.plot .label.kill{color:var(--kill);font-weight:600}
.dygraph-axis-label{line-height:normal;color:var(--dim)}
.values{min-height:1.5em;margin:.2rem 0;font-size:.92rem;font-variant-numeric:tabular-nums}
.tools{display:flex;gap:.4rem;justify-content:flex-end;margin-bottom:.3rem}
button{min-width:2.4rem;padding:.25rem .6rem;border:1px solid var(--line);border-radius:4px;background:var(--soft);color:var(--fg);font:inherit;font-size:.92rem;cursor:pointer}
ul.key input{margin:0 .35rem 0 0;vertical-align:middle}
.narrow{display:none}.drawn .wide{display:none}
@media(max-width:38rem){table{font-size:.85rem}th,td{padding-right:.5rem}th,.short{white-space:normal}td:not(:last-child){min-width:3.4rem}.wide,.drawn .narrow{display:none}.narrow{display:block}.plot{height:300px}button{min-height:2.75rem;min-width:2.75rem}body{padding:1rem .8rem 3rem}}
@media print{:root{--bg:#fff;--fg:#000;--dim:#444;--line:#bbb;--soft:#fff;--c0:#0b5cad;--c1:#b34700;--c2:#1b7340;--c3:#6b3fa0;--c4:#8a6100;--c5:#a3005c;--kill:#c00020}body{max-width:none;font-size:11pt;padding:0}.live,ul.key input,.drawn .narrow{display:none}.drawn .wide{display:block}section,figure,table{break-inside:avoid}pre{white-space:pre-wrap}}
)css";

/// "12 min 52 s" stays on one line.
constexpr std::size_t kShort = 14;

class Html {
 public:
  explicit Html(std::string& out) : out_(out) {}

  void operator()(const Paragraph& paragraph) {
    out_ += "<p>" + html_text(paragraph.text) + "</p>\n";
  }

  void operator()(const Table& table) {
    out_ += "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" +
            html_text(table.caption) + "\"><table><caption><span>" + html_text(table.caption) +
            "</span></caption>\n<thead><tr>";
    for (const auto& cell : table.header) out_ += "<th scope=\"col\">" + html_text(cell) + "</th>";
    out_ += "</tr></thead><tbody>\n";
    for (const auto& row : table.rows) {
      out_ += "<tr>";
      for (const auto& cell : row) {
        out_ += cell.size() <= kShort ? "<td class=\"short\">" : "<td>";
        out_ += html_text(cell) + "</td>";
      }
      out_ += "</tr>\n";
    }
    out_ += "</tbody></table></div>\n";
  }

  void operator()(const Commands& commands) {
    out_ += "<pre tabindex=\"0\"><code>";
    for (const auto& line : commands.lines) out_ += html_text(line) + "\n";
    out_ += "</code></pre>\n";
  }

  void operator()(const Chart& chart) {
    ++charts_;
    // A picture that shrinks has unreadable letters: a phone gets one of its own.
    out_ += "<figure class=\"chart\"><div class=\"wide\">" +
            svg(chart, fmt::format("w{}", charts_), 860, 340) + "</div><div class=\"narrow\">" +
            svg(chart, fmt::format("n{}", charts_), 400, 320) + "</div>\n<ul class=\"key\">";
    for (std::size_t i = 0; i < chart.curves.size(); ++i) {
      out_ += fmt::format(
          "<li><svg viewBox=\"0 0 34 10\" aria-hidden=\"true\"><path class=\"curve {}\" d=\"M0 "
          "5h34\"/>"
          "</svg>{}</li>",
          curve_class(i), html_text(chart.curves[i].label));
    }
    out_ += "</ul><figcaption>" + html_text(chart.description) +
            "</figcaption><script type=\"application/json\">" + chart_data(chart) +
            "</script></figure>\n";
  }

 private:
  std::string& out_;
  std::size_t charts_ = 0;
};

}  // namespace

std::string html(const Document& document) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src 'unsafe-inline'; script-src '";
  out += charts_script_hash();
  out +=
      "'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>" +
      html_text(document.title) + "</title>\n<style>";
  out += kStyle;
  out += "</style></head>\n<body><main>\n<h1>" + html_text(document.title) +
         "</h1>\n<p class=\"summary\">" + html_text(document.summary) + "</p>\n";
  Html render(out);
  for (const Section& section : document.sections) {
    out += "<section><h2>" + html_text(section.heading) + "</h2>\n";
    for (const Block& block : section.blocks) std::visit(render, block);
    out += "</section>\n";
  }
  out += "</main>\n<script>";
  for (const std::string_view piece : charts_script()) out += piece;
  return out + "</script></body></html>\n";
}

}  // namespace oomdrill::report
