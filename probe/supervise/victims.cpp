#include "supervise/victims.h"

#include <algorithm>

namespace oomdrill::probe {

Victims name_victims(std::span<const Departed> departed, const KillCircumstances& kill) {
  constexpr std::uint64_t kPart = 4;
  const bool no_other = kill.complete && departed.size() <= kill.kills;
  const auto explains = [&kill, no_other](const Departed& d) {
    if (no_other) return true;
    return d.facts.rss_bytes > 0 && d.facts.rss_bytes >= kill.unseen_bytes / kPart &&
           d.facts.rss_bytes >= kill.largest_living / kPart;
  };
  std::array<const Departed*, ProcessTable::kMostDeparted> order{};
  std::size_t size = 0;
  for (const Departed& d : departed.first(std::min(departed.size(), order.size()))) {
    if (d.sigkilled || explains(d)) order[size++] = &d;
  }
  std::sort(order.begin(), order.begin() + size, [&kill](const Departed* a, const Departed* b) {
    if ((a->facts.pid == kill.known) != (b->facts.pid == kill.known)) {
      return a->facts.pid == kill.known;
    }
    if (a->sigkilled != b->sigkilled) return a->sigkilled;
    return a->facts.rss_bytes > b->facts.rss_bytes;
  });
  Victims out;
  for (std::size_t i = 0; i < size && out.size < kill.kills; ++i) {
    out.add(order[i]->facts, order[i]->sigkilled);
    if (out.size == Victims::kMost) break;
  }
  return out;
}

}  // namespace oomdrill::probe
