#include "memory/kinds.h"

#include <array>

namespace oomdrill::memory {

std::span<const Kind> kinds() {
  static const std::array table = {kAnon, kHeap};
  return table;
}

Result<const Kind*> find_kind(std::span<const Kind> kinds, std::string_view name) {
  std::string known;
  for (const Kind& kind : kinds) {
    if (kind.name == name) return &kind;
    known += (known.empty() ? "" : ", ") + std::string(kind.name);
  }
  return fail("unknown kind of memory '" + std::string(name) + "'", {}, "choose one of " + known);
}

}  // namespace oomdrill::memory
