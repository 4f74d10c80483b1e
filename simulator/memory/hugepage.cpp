#include <sys/mman.h>

#include <array>
#include <charconv>

#include "base/file.h"
#include "memory/kinds.h"
#include "memory/regions.h"

namespace oomdrill::memory {
namespace {

constexpr std::array kParameters = {
    plan::Parameter{"of", "transparent|explicit", "transparent",
                    "THP by madvise, or pages that vm.nr_hugepages reserved"}};
constexpr const char* kEnabled = "/sys/kernel/mm/transparent_hugepage/enabled";

bool is_explicit(const Settings& settings) {
  return setting(settings, kParameters[0]) == "explicit";
}

Result<std::uintptr_t> map_transparent(std::size_t region_bytes) {
  auto region = map_aligned(region_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  if (region && ::madvise(at(*region), region_bytes, MADV_HUGEPAGE) != 0) {
    return fail_errno("cannot ask for huge pages", "madvise");
  }
  return region;
}

Result<std::uintptr_t> map_explicit(std::size_t region_bytes) {
  void* mapped = ::mmap(nullptr, region_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  if (mapped == MAP_FAILED) {
    return fail_errno("no reserved huge page is left", "mmap", "raise vm.nr_hugepages");
  }
  return reinterpret_cast<std::uintptr_t>(mapped);
}

/// "HugePages_Free:       0".
std::uint64_t free_huge_pages(std::string_view meminfo) {
  constexpr std::string_view kName = "HugePages_Free:";
  const auto found = meminfo.find(kName);
  if (found == std::string_view::npos) return 0;
  std::string_view rest = meminfo.substr(found + kName.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  std::uint64_t pages = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), pages);
  return pages;
}

Result<void> supported(const Settings& settings) {
  if (is_explicit(settings)) {
    const auto meminfo = read_file("/proc/meminfo");
    if (!meminfo || free_huge_pages(*meminfo) == 0) {
      return fail("no huge page is reserved and free", "/proc/meminfo",
                  "reserve some on the host: sysctl vm.nr_hugepages=64");
    }
    return {};
  }
  const auto enabled = read_file(kEnabled);
  if (!enabled) return fail("this kernel has no transparent huge pages", kEnabled);
  if (enabled->find("[never]") != std::string::npos) {
    return fail("transparent huge pages are off", kEnabled, "write madvise to it on the host");
  }
  return {};
}

}  // namespace

constinit const Kind kHugePage = {
    .name = "hugepage",
    .help = "anonymous huge pages of 2 MiB, each charged whole at its first byte",
    .divisible = true,
    .small_blocks = false,
    .parameters = kParameters,
    .claim = [](const Settings& settings) -> Claim {
      if (is_explicit(settings)) {
        return {.counter = Counter::none,
                .overhead_help =
                    "none: hugetlb pages are charged to the hugetlb controller, to the "
                    "memory cgroup only with v2's memory_hugetlb_accounting"};
      }
      return {.counter = Counter::anon,
              .resident = true,
              .overhead = 0.005,
              .overhead_help = "0.2 %: a spare page table each; and up to 2 MiB of rounding",
              .granule = std::uint64_t{2} << 20};
    },
    .supported = supported,
    .make = [](Content content, const Settings& settings) -> std::unique_ptr<Memory> {
      return make_regions({.map = is_explicit(settings) ? map_explicit : map_transparent,
                           .unmap = unmap,
                           .discard = discard,
                           .page_table_stands_in = false,
                           .whole_only = true},
                          content);
    }};

}  // namespace oomdrill::memory
