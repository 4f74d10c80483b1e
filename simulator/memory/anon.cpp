#include <sys/mman.h>

#include "memory/kinds.h"
#include "memory/regions.h"

namespace oomdrill::memory {
namespace {

Result<std::uintptr_t> map(std::size_t region_bytes) {
  auto region = map_aligned(region_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  // A huge page would be charged whole at its first byte. EINVAL: a kernel without huge pages.
  if (region) ::madvise(at(*region), region_bytes, MADV_NOHUGEPAGE);
  return region;
}

}  // namespace

constinit const Kind kAnon = {
    .name = "anon",
    .help = "private anonymous pages (mmap), as most leaks end up in",
    .divisible = true,
    .small_blocks = false,
    .parameters = {},
    .claim = [](const Settings&) -> Claim {
      return {.counter = Counter::anon,
              .resident = true,
              .overhead = 0,
              .overhead_help = "none: the page table of each 2 MiB counts as one of its pages"};
    },
    .supported = [](const Settings&) -> Result<void> { return {}; },
    .make = [](Content content, const Settings&) -> std::unique_ptr<Memory> {
      return make_regions({.map = map, .unmap = unmap, .discard = discard}, content);
    }};

}  // namespace oomdrill::memory
