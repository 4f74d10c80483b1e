#include <malloc.h>

#include <algorithm>
#include <cstdlib>

#include "memory/kinds.h"
#include "memory/regions.h"

namespace oomdrill::memory {
namespace {

/// Blocks from malloc, as a program's own objects are.
class Heap final : public Memory {
 public:
  explicit Heap(Content content) : content_(content) {
#ifdef M_MMAP_THRESHOLD
    // glibc raises it at the first free of a larger block, and blocks of the same size then take
    // another path than before (facts.md, 5). Setting it, to the default, pins it.
    ::mallopt(M_MMAP_THRESHOLD, 128 << 10);
#endif
  }

  Result<Block> reserve(std::uint64_t bytes) override {
    void* block = std::malloc(bytes);
    if (block == nullptr) {
      return fail_errno(fmt::format("cannot allocate {} bytes", bytes), "malloc",
                        "see ulimit -v, vm.max_map_count and vm.overcommit_memory");
    }
    return Block{reinterpret_cast<std::uintptr_t>(block), bytes};
  }

  Result<void> write(const Block& block, std::uint64_t from, std::uint64_t bytes) override {
    content_.fill({reinterpret_cast<std::byte*>(block.handle) + from, bytes});
    return {};
  }

  void release(const Block& block) override { std::free(reinterpret_cast<void*>(block.handle)); }

  void reset() override {
#ifdef __GLIBC__
    ::malloc_trim(0);  // free() gives back the end of the heap only
#endif
  }

  void touch(const Block& block, std::uint64_t from, std::uint64_t bytes) override {
    touch_pages(block.handle + from, bytes);
  }

 private:
  Content content_;
};

}  // namespace

constinit const Kind kHeap = {
    .name = "heap",
    .help = "blocks from malloc, as a program's own objects are",
    .divisible = false,
    .small_blocks = true,
    .parameters = {},
    .claim = [](const Settings&) -> Claim {
      return {.counter = Counter::anon,
              .resident = true,
              .overhead = 0.25,
              .overhead_help =
                  "the allocator's: 16 bytes a block, and what it keeps of freed "
                  "blocks; and 0.2 % of page tables",
              .keeps = true};
    },
    .supported = [](const Settings&) -> Result<void> { return {}; },
    .make = [](Content content, const Settings&) -> std::unique_ptr<Memory> {
      return std::make_unique<Heap>(content);
    }};

}  // namespace oomdrill::memory
