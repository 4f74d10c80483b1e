#include "supervise/process_stat.h"

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

  // proc(5): the field after comm is the third; flags is the 9th, pending signals the 31st.
  constexpr int kState = 3, kFlags = 9, kPending = 31;
  std::string_view rest = text.substr(close + 1);
  std::uint64_t flags = 0, pending = 0;
  int field = kState;
  for (; field <= kPending; ++field) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \n"), rest.size()));
    const std::string_view word = rest.substr(0, rest.find_first_of(" \n"));
    if (word.empty()) return std::nullopt;
    if (field == kState) stat.state = word.front();
    if (field == kFlags) std::from_chars(word.data(), word.data() + word.size(), flags);
    if (field == kPending) std::from_chars(word.data(), word.data() + word.size(), pending);
    rest.remove_prefix(word.size());
  }
  constexpr std::uint64_t kExiting = 0x4;  // PF_EXITING of linux/sched.h
  constexpr std::uint64_t kKill = std::uint64_t{1} << (SIGKILL - 1);
  stat.dying =
      stat.state == 'Z' || stat.state == 'X' || (flags & kExiting) != 0 || (pending & kKill) != 0;
  return stat;
}

}  // namespace oomdrill::probe
