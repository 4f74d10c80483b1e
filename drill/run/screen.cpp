#include "run/screen.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/units.h"
#include "run/summary.h"

namespace oomdrill::run {
namespace {

constexpr std::size_t kBar = 24;

/// The first `columns` code points; our own text has no wide ones.
std::string_view cut(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool continues = (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
    if (!continues && columns-- == 0) break;
  }
  return text.substr(0, at);
}

std::string bytes_or(const std::optional<std::uint64_t>& bytes, const char* otherwise) {
  return bytes ? format_bytes(*bytes) : otherwise;
}

std::string text_of(const recording::Record& record, std::string_view path) {
  return printable(record.text(path).value_or(""));
}

std::string threshold(const recording::Threshold& crossed) {
  std::string text = fmt::format("{:g} % passed", crossed.percent);
  if (crossed.used_bytes) text += " at " + format_bytes(*crossed.used_bytes);
  if (crossed.eta_oom_s) {
    text += fmt::format(", {} to the limit", format_seconds(*crossed.eta_oom_s));
    if (crossed.growth_bytes_per_s) text += " at " + format_rate(*crossed.growth_bytes_per_s);
  }
  return text;
}

std::string kill(const recording::OomKill& event) {
  std::string text = event.kills == 1 ? "OOM kill" : fmt::format("{} OOM kills", event.kills);
  text += ": " + (event.scope.empty() ? "unknown limit" : printable(event.scope));
  if (event.limit_bytes) text += " of " + format_bytes(*event.limit_bytes);
  if (!event.victim_name.empty()) text += ", victim " + printable(event.victim_name);
  if (event.lived_on()) text += ", the main process lives on";
  return text;
}

std::string exited(const recording::WorkloadExit& event) {
  std::string text = "workload ended: " + printable(event.verdict);
  if (event.exit_code) text += fmt::format(", exit code {}", *event.exit_code);
  if (!event.signal.empty()) text += " (" + printable(event.signal) + ")";
  return text;
}

/// Without the time in front; empty: not worth a line.
std::string words(const recording::Record& record, const recording::Account& account) {
  const std::string_view event = record.event();
  if (event == "leak.started") {
    std::string text = "leak starts: " + text_of(record, "pattern");
    if (const auto rate = record.real("rate_bytes_per_s")) text += ", " + format_rate(*rate);
    return text + ", " + bytes_or(record.whole("used_bytes"), "?") + " of " +
           bytes_or(record.whole("limit_bytes"), "no limit") + " used";
  }
  if (event == "memory.threshold" && !account.thresholds.empty()) {
    // The way down is what follows a kill or a free: the recording keeps it.
    const auto& crossed = account.thresholds.back();
    return crossed.up ? threshold(crossed) : "";
  }
  if (event == "memory.oom_kill" && !account.kills.empty()) return kill(account.kills.back());
  if (event == "memory.limit_changed") {
    return fmt::format("limit changed from {} to {}",
                       bytes_or(record.whole("previous_limit_bytes"), "none"),
                       bytes_or(record.whole("limit_bytes"), "none"));
  }
  if (event == "leak.stopped") {
    return fmt::format("leak stops: {}, {} used", text_of(record, "reason"),
                       bytes_or(record.whole("used_bytes"), "?"));
  }
  if (event == "workload.exited" && account.exited) return exited(*account.exited);
  if (event == "probe.warning") return "probe: " + text_of(record, "message");
  return "";
}

}  // namespace

void Screen::clear() {
  if (!shown_) return;
  *out_ << "\r\x1b[K" << std::flush;
  shown_ = false;
}

void Screen::line(std::string_view text) {
  clear();
  *out_ << text << '\n' << std::flush;
}

void Screen::live(std::string_view text) {
  if (!is_live()) return;
  // The last column stays free: a terminal would wrap there.
  *out_ << "\r\x1b[K" << cut(text, width_ - 1) << std::flush;
  shown_ = true;
}

std::optional<std::string> narrate(const recording::Record& record,
                                   const recording::Account& account) {
  const std::string text = words(record, account);
  if (text.empty()) return std::nullopt;
  const auto after = account.after_s(record.time());
  return fmt::format("{:>9}  {}", after ? fmt::format("{:.2f} s", *after) : "", text);
}

std::string Gauge::text() const {
  const double fraction =
      limit_bytes == 0 ? 0 : static_cast<double>(used_bytes) / static_cast<double>(limit_bytes);
  const auto filled =
      static_cast<std::size_t>(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(kBar));
  std::string text = "[" + std::string(filled, '#') + std::string(kBar - filled, '-') + "] " +
                     format_bytes(used_bytes) + " of " + format_bytes(limit_bytes) +
                     fmt::format("  {:5.1f} %", fraction * 100);
  if (killing) return text + "  OOM kill";
  if (bytes_per_s) text += "  " + format_rate(*bytes_per_s);
  if (eta_s) text += "  OOM in " + format_seconds(*eta_s);
  return text;
}

}  // namespace oomdrill::run
