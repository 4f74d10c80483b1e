#include "supervise/process_stat.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>

namespace oomdrill::probe {

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  // comm is in parentheses and may hold any byte, parentheses and spaces too.
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return std::nullopt;
  }
  ProcessStat stat;
  stat.comm = text.substr(open + 1, close - open - 1);

  // proc(5) counts from 1; the field after comm is the third.
  constexpr std::size_t kState = 3, kFlags = 9, kVsize = 23, kRss = 24, kPending = 31,
                        kExitCode = 52;
  std::array<std::uint64_t, kExitCode + 1> values{};
  std::string_view rest = text.substr(close + 1);
  for (std::size_t field = kState; field <= kExitCode; ++field) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \n"), rest.size()));
    const std::string_view word = rest.substr(0, rest.find_first_of(" \n"));
    if (word.empty()) {
      if (field <= kPending) return std::nullopt;
      break;
    }
    if (field == kState) stat.state = word.front();
    std::from_chars(word.data(), word.data() + word.size(), values[field]);
    rest.remove_prefix(word.size());
  }
  constexpr std::uint64_t kExiting = 0x4;  // PF_EXITING of linux/sched.h
  constexpr std::uint64_t kKill = std::uint64_t{1} << (SIGKILL - 1);
  constexpr std::uint64_t kSignalBits = 0x7f;  // of a wait status
  const bool pending = (values[kPending] & kKill) != 0;
  stat.dying =
      stat.state == 'Z' || stat.state == 'X' || (values[kFlags] & kExiting) != 0 || pending;
  stat.sigkilled = pending || (values[kExitCode] & kSignalBits) == SIGKILL;
  stat.vm_bytes = values[kVsize];
  stat.rss_pages = values[kRss];
  return stat;
}

}  // namespace oomdrill::probe
