#include <sys/mman.h>

#include "memory/kinds.h"
#include "memory/regions.h"

namespace oomdrill::memory {
namespace {

Result<std::uintptr_t> map(std::size_t region_bytes) {
  return map_aligned(region_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
}

}  // namespace

constinit const Kind kUntouched = {
    .name = "untouched",
    .help = "address space that is reserved and never written: the leak that is none",
    .divisible = true,
    .small_blocks = false,
    .parameters = {},
    .claim = [](const Settings&) -> Claim {
      return {.counter = Counter::none, .overhead_help = "none: no page exists, only virtual size"};
    },
    .supported = [](const Settings&) -> Result<void> { return {}; },
    .make = [](Content content, const Settings&) -> std::unique_ptr<Memory> {
      return make_regions({.map = map, .unmap = unmap, .discard = discard, .written = false},
                          content);
    }};

}  // namespace oomdrill::memory
