#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "memory/memory.h"

/// Pages of address space, handed out in a row and charged as they are written: what most kinds
/// are made of, each with its own way to map.
namespace oomdrill::memory {

/// How a kind maps. A region is as large as one page of the page table maps (2 MiB with pages of
/// 4 KiB), and lies at a multiple of that.
struct Mapping {
  /// Error: the kernel refused.
  Result<std::uintptr_t> (*map)(std::size_t region_bytes);
  void (*unmap)(std::uintptr_t address, std::size_t bytes);    ///< whole regions
  void (*discard)(std::uintptr_t address, std::size_t bytes);  ///< whole granules
  /// The first page of each region is never written and the page table stands in for it. That one
  /// is charged to the cgroup too: 512 MiB of written pages raised its usage by 513.0 MiB, a rate
  /// 0.195 % above nominal.
  bool page_table_stands_in = true;
  bool written = true;      ///< else write() does nothing
  bool whole_only = false;  ///< only whole regions can be given back
};

std::unique_ptr<Memory> make_regions(const Mapping& mapping, Content content);

/// Address space at a multiple of `bytes`, of as much, with the kernel's `flags` of mmap(2).
Result<std::uintptr_t> map_aligned(std::size_t bytes, int protection, int flags);
void unmap(std::uintptr_t address, std::size_t bytes);
/// MADV_DONTNEED.
void discard(std::uintptr_t address, std::size_t bytes);

inline std::byte* at(std::uintptr_t address) { return reinterpret_cast<std::byte*>(address); }

/// Reads and writes one byte of each page that begins within.
void touch_pages(std::uintptr_t address, std::uint64_t bytes);

}  // namespace oomdrill::memory
