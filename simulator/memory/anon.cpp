#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "memory/kinds.h"

namespace oomdrill::memory {
namespace {

/// Private anonymous pages, handed out in a row and charged as they are written.
///
/// Reserved in regions of as much as one page of the page table maps (2 MiB with pages of 4 KiB).
/// That page is charged to the cgroup too: 512 MiB of written pages raised its usage by
/// 513.0 MiB, a rate 0.195 % above nominal. So the first page of each region is never written and
/// the page table stands in for it: bytes handed out are bytes charged.
class Anon final : public Memory {
 public:
  explicit Anon(Content content)
      : content_(content),
        page_(static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE))),
        region_bytes_(page_ * (page_ / sizeof(void*))) {}
  Anon(const Anon&) = delete;
  Anon& operator=(const Anon&) = delete;
  ~Anon() override {
    // The region that is still being handed out; release() took the full ones.
    if (cursor_ != end_) unmap(end_ - region_bytes_, region_bytes_);
  }

  Result<Block> reserve(std::uint64_t bytes) override {
    if (cursor_ == end_) {
      const auto region = map_region();
      if (!region) return fail(region.error());
      cursor_ = *region;
      end_ = cursor_ + region_bytes_;
    }
    const std::uint64_t size = std::min<std::uint64_t>(bytes, end_ - cursor_);
    const Block block{cursor_, size};
    cursor_ += size;
    return block;
  }

  Result<void> write(const Block& block, std::uint64_t from, std::uint64_t bytes) override {
    std::uintptr_t begin = block.handle + from;
    const std::uintptr_t end = begin + bytes;
    while (begin < end) {
      const std::uintptr_t region = begin - begin % region_bytes_;
      const std::uintptr_t stop = std::min(end, region + region_bytes_);
      begin = std::max(begin, region + page_);
      if (begin < stop) content_.fill({at(begin), stop - begin});
      begin = stop;
    }
    return {};
  }

  void release(const Block& block) override {
    // Oldest first: the front of the page, and of the region, in which the block begins is gone.
    std::uintptr_t begin = block.handle - block.handle % page_;
    const std::uintptr_t end = block.handle + block.bytes;
    while (begin < end) {
      const std::uintptr_t region = begin - begin % region_bytes_;
      if (end >= region + region_bytes_) {
        unmap(region, region_bytes_);
        begin = region + region_bytes_;
        continue;
      }
      const std::uintptr_t last = end - end % page_;
      if (begin < last) ::madvise(at(begin), last - begin, MADV_DONTNEED);
      break;
    }
  }

 private:
  static std::byte* at(std::uintptr_t address) { return reinterpret_cast<std::byte*>(address); }
  static void unmap(std::uintptr_t address, std::size_t bytes) { ::munmap(at(address), bytes); }

  Result<std::uintptr_t> map_region() const {
    // Twice the size, cut to an aligned half: the kernel aligns to pages only.
    void* mapped = ::mmap(nullptr, 2 * region_bytes_, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) {
      return fail_errno("cannot reserve " + format_size(region_bytes_), "mmap",
                        "see ulimit -v, vm.max_map_count and vm.overcommit_memory");
    }
    const auto begin = reinterpret_cast<std::uintptr_t>(mapped);
    const std::uintptr_t end = begin + 2 * region_bytes_;
    // The upper half where both fit: regions then lie side by side and are one mapping.
    const std::uintptr_t region = (end - region_bytes_) / region_bytes_ * region_bytes_;
    if (region > begin) unmap(begin, region - begin);
    if (end > region + region_bytes_) {
      unmap(region + region_bytes_, end - region - region_bytes_);
    }
    // A huge page would be charged whole at its first byte. EINVAL: a kernel without huge pages.
    ::madvise(at(region), region_bytes_, MADV_NOHUGEPAGE);
    return region;
  }

  static std::string format_size(std::uint64_t bytes) {
    return fmt::format("{} MiB of address space", bytes >> 20);
  }

  Content content_;
  std::uintptr_t page_;
  std::uintptr_t region_bytes_;
  std::uintptr_t cursor_ = 0;  ///< the next byte to hand out
  std::uintptr_t end_ = 0;     ///< of the region that the cursor is in
};

}  // namespace

constinit const Kind kAnon = {
    .name = "anon",
    .help = "private anonymous pages (mmap), each with content of its own",
    .divisible = true,
    .small_blocks = false,
    .supported = []() -> Result<void> { return {}; },
    .make = [](Content content) -> std::unique_ptr<Memory> {
      return std::make_unique<Anon>(content);
    }};

}  // namespace oomdrill::memory
