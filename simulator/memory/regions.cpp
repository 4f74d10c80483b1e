#include "memory/regions.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace oomdrill::memory {
namespace {

std::uintptr_t page_size() { return static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE)); }

class Regions final : public Memory {
 public:
  Regions(const Mapping& mapping, Content content)
      : mapping_(mapping),
        content_(content),
        page_(page_size()),
        region_bytes_(page_ * (page_ / sizeof(void*))),
        piece_bytes_(mapping.whole_only ? region_bytes_ : Content::kPiece) {}
  Regions(const Regions&) = delete;
  Regions& operator=(const Regions&) = delete;
  ~Regions() override { drop_last(); }

  Result<Block> reserve(std::uint64_t bytes) override {
    if (cursor_ == end_) {
      const auto region = mapping_.map(region_bytes_);
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
    if (!mapping_.written) return {};
    std::uintptr_t begin = block.handle + from;
    const std::uintptr_t end = begin + bytes;
    while (begin < end) {
      const std::uintptr_t region = begin - begin % region_bytes_;
      const std::uintptr_t stop = std::min(end, region + region_bytes_);
      if (mapping_.page_table_stands_in) begin = std::max(begin, region + page_);
      if (begin < stop) content_.fill_fresh({at(begin), stop - begin}, piece_bytes_);
      begin = stop;
    }
    return {};
  }

  void release(const Block& block) override {
    // Oldest first: the front of the granule, and of the region, in which the block begins is gone.
    const std::uintptr_t step = std::max<std::uintptr_t>(page_, granule());
    std::uintptr_t begin = block.handle - block.handle % step;
    const std::uintptr_t end = block.handle + block.bytes;
    while (begin < end) {
      const std::uintptr_t region = begin - begin % region_bytes_;
      if (end >= region + region_bytes_) {
        mapping_.unmap(region, region_bytes_);
        begin = region + region_bytes_;
        continue;
      }
      const std::uintptr_t last = end - end % step;
      if (begin < last) mapping_.discard(begin, last - begin);
      break;
    }
  }

  void touch(const Block& block, std::uint64_t from, std::uint64_t bytes) override {
    if (!mapping_.written) return;
    std::uintptr_t begin = block.handle + from;
    const std::uintptr_t end = begin + bytes;
    while (begin < end) {
      const std::uintptr_t region = begin - begin % region_bytes_;
      const std::uintptr_t stop = std::min(end, region + region_bytes_);
      if (mapping_.page_table_stands_in) begin = std::max(begin, region + page_);
      if (begin < stop) touch_pages(begin, stop - begin);
      begin = stop;
    }
  }

  void reset() override { drop_last(); }

  [[nodiscard]] std::uint64_t granule() const override {
    return mapping_.whole_only ? region_bytes_ : 1;
  }

 private:
  /// The region that is still being handed out; release() took the full ones.
  void drop_last() {
    if (cursor_ != end_) mapping_.unmap(end_ - region_bytes_, region_bytes_);
    cursor_ = end_ = 0;
  }

  Mapping mapping_;
  Content content_;
  std::uintptr_t page_;
  std::uintptr_t region_bytes_;
  std::size_t piece_bytes_;
  std::uintptr_t cursor_ = 0;  ///< the next byte to hand out
  std::uintptr_t end_ = 0;     ///< of the region that the cursor is in
};

}  // namespace

std::unique_ptr<Memory> make_regions(const Mapping& mapping, Content content) {
  return std::make_unique<Regions>(mapping, content);
}

Result<std::uintptr_t> map_aligned(std::size_t bytes, int protection, int flags) {
  // The kernel puts a mapping below the last one: below an aligned region it is aligned by itself.
  void* const next = ::mmap(nullptr, bytes, protection, flags, -1, 0);
  if (next != MAP_FAILED) {
    const auto region = reinterpret_cast<std::uintptr_t>(next);
    if (region % bytes == 0) return region;
    unmap(region, bytes);
  }
  // Twice the size, cut to an aligned half: the kernel aligns to pages only.
  void* mapped = ::mmap(nullptr, 2 * bytes, protection, flags, -1, 0);
  if (mapped == MAP_FAILED) {
    return fail_errno(fmt::format("cannot reserve {} MiB of address space", bytes >> 20), "mmap",
                      "see ulimit -v, vm.max_map_count and vm.overcommit_memory");
  }
  const auto begin = reinterpret_cast<std::uintptr_t>(mapped);
  const std::uintptr_t end = begin + 2 * bytes;
  // The upper half where both fit: regions then lie side by side and are one mapping.
  const std::uintptr_t region = (end - bytes) / bytes * bytes;
  if (region > begin) unmap(begin, region - begin);
  if (end > region + bytes) unmap(region + bytes, end - region - bytes);
  return region;
}

void unmap(std::uintptr_t address, std::size_t bytes) { ::munmap(at(address), bytes); }

void discard(std::uintptr_t address, std::size_t bytes) {
  ::madvise(at(address), bytes, MADV_DONTNEED);
}

void touch_pages(std::uintptr_t address, std::uint64_t bytes) {
  const std::uintptr_t page = page_size();
  for (std::uintptr_t each = (address + page - 1) / page * page; each < address + bytes;
       each += page) {
    auto* byte = static_cast<volatile std::byte*>(at(each));
    *byte = *byte;
  }
}

}  // namespace oomdrill::memory
