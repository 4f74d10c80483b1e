#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "memory/kinds.h"
#include "memory/regions.h"

namespace oomdrill::memory {
namespace {

Result<std::uintptr_t> map(std::size_t region_bytes) {
  const int id = ::shmget(IPC_PRIVATE, region_bytes, IPC_CREAT | 0600);
  if (id < 0) {
    return fail_errno("cannot make a System V segment", "shmget",
                      "see kernel.shmmni, kernel.shmall and kernel.shmmax");
  }
  const auto place = map_aligned(region_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);
  void* attached = place ? ::shmat(id, at(*place), SHM_REMAP) : nullptr;
  const int errnum = errno;
  // Now, so that the segment ends with its last attachment: with this process, however it dies.
  ::shmctl(id, IPC_RMID, nullptr);
  if (!place) return fail(place.error());
  if (attached == reinterpret_cast<void*>(-1)) {
    unmap(*place, region_bytes);
    errno = errnum;
    return fail_errno("cannot attach a System V segment", "shmat");
  }
  return *place;
}

void detach(std::uintptr_t address, std::size_t) { ::shmdt(at(address)); }

void punch(std::uintptr_t address, std::size_t bytes) {
  ::madvise(at(address), bytes, MADV_REMOVE);
}

}  // namespace

constinit const Kind kShm = {
    .name = "shm",
    .help = "System V shared memory, attached and written",
    .divisible = true,
    .small_blocks = false,
    .parameters = {},
    .claim = [](const Settings&) -> Claim {
      return {
          .counter = Counter::shmem,
          .resident = true,
          .overhead = 0.005,
          .overhead_help = "0.4 %: the inode of each segment of 2 MiB and the index of its pages"};
    },
    .supported = [](const Settings&) -> Result<void> {
      const int id = ::shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
      if (id < 0) return fail_errno("cannot make a System V segment", "shmget");
      ::shmctl(id, IPC_RMID, nullptr);
      return {};
    },
    .make = [](Content content, const Settings&) -> std::unique_ptr<Memory> {
      return make_regions({.map = map, .unmap = detach, .discard = punch}, content);
    }};

}  // namespace oomdrill::memory
