#include "memory/files.h"
#include "memory/kinds.h"

namespace oomdrill::memory {

constinit const Kind kMemfd = {
    .name = "memfd",
    .help = "files in memory (memfd_create), written and not mapped: no process shows them",
    .divisible = true,
    .small_blocks = false,
    .parameters = {},
    .claim = [](const Settings&) -> Claim {
      return {.counter = Counter::shmem,
              .overhead = 0.005,
              .overhead_help = "0.3 %: the index of the file's pages"};
    },
    .supported = [](const Settings&) -> Result<void> { return {}; },
    .make = [](Content content, const Settings&) -> std::unique_ptr<Memory> {
      return make_files({}, content);
    }};

}  // namespace oomdrill::memory
