#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

#include "memory/kinds.h"

namespace oomdrill::memory {
namespace {

const std::uint64_t kPage = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
const std::uint64_t kRegion = kPage * (kPage / sizeof(void*));

/// Pages of [from, from + bytes) that are in memory; -1 where a page is not
/// mapped.
int resident(std::uintptr_t from, std::uint64_t bytes) {
  const std::uintptr_t begin = from - from % kPage;
  const std::uintptr_t end = (from + bytes + kPage - 1) / kPage * kPage;
  std::vector<unsigned char> pages((end - begin) / kPage);
  if (::mincore(reinterpret_cast<void*>(begin), end - begin, pages.data()) != 0) return -1;
  int count = 0;
  for (const unsigned char page : pages) count += page & 1;
  return count;
}

class Anon : public testing::Test {
 protected:
  /// Reserves and writes `bytes`; they begin at the returned address.
  std::uintptr_t grow(std::uint64_t bytes) {
    std::uintptr_t first = 0;
    while (bytes > 0) {
      const auto block = memory_->reserve(bytes);
      EXPECT_TRUE(block && memory_->write(*block, 0, block->bytes));
      if (first == 0) first = block->handle;
      bytes -= block->bytes;
    }
    return first;
  }
  std::unique_ptr<Memory> memory_ = kAnon.make(Content(1), {});
};

TEST_F(Anon, APageTableStandsForTheFirstPageOfARegion) {
  const std::uintptr_t first = grow(kRegion);
  EXPECT_EQ(first % kRegion, 0u);
  EXPECT_EQ(resident(first, kRegion), static_cast<int>(kRegion / kPage) - 1);
  EXPECT_EQ(resident(first, kPage), 0);
  memory_->release({first, kRegion});
}

TEST_F(Anon, SmallStepsTouchAPageAtItsFirstByteOnly) {
  std::uintptr_t first = 0;
  const std::uint64_t step = kPage / 2 - 24;
  for (std::uint64_t total = step; total < 64 * kPage; total += step) {
    const std::uintptr_t at = grow(step);
    if (first == 0) first = at;
    ASSERT_EQ(resident(first, kRegion), static_cast<int>((total + kPage - 1) / kPage) - 1) << total;
  }
}

TEST_F(Anon, EveryWrittenPageIsUnlikeTheOthers) {
  const std::uintptr_t first = grow(100 * kPage);
  std::set<std::string> pages;
  for (std::uint64_t page = 1; page < 100; ++page) {
    pages.emplace(reinterpret_cast<const char*>(first + page * kPage), kPage);
  }
  EXPECT_EQ(pages.size(), 99u);
}

TEST_F(Anon, ReleasesFromTheFrontToThePage) {
  const std::uintptr_t first = grow(10 * kPage);
  memory_->release({first, 3 * kPage + 100});
  EXPECT_EQ(resident(first, 10 * kPage), 7);
  memory_->release({first + 3 * kPage + 100, kPage - 100});
  EXPECT_EQ(resident(first, 10 * kPage), 6);
}

TEST_F(Anon, UnmapsARegionThatIsGoneWhole) {
  const std::uintptr_t first = grow(kRegion);
  grow(kPage * 2);
  memory_->release({first, kRegion / 2});
  EXPECT_EQ(resident(first, kRegion), static_cast<int>(kRegion / kPage / 2));
  memory_->release({first + kRegion / 2, kRegion / 2});
  EXPECT_EQ(resident(first, kRegion), -1);
}

TEST_F(Anon, AdviseAgainstHugePagesHolds) {
  // A reservation alone has no page at all, however huge pages are set.
  const auto block = memory_->reserve(kRegion);
  ASSERT_TRUE(block);
  EXPECT_EQ(resident(block->handle, kRegion), 0);
  ASSERT_TRUE(memory_->write(*block, kPage, 1));
  EXPECT_EQ(resident(block->handle, kRegion), 1);
  memory_->release(*block);
}

}  // namespace
}  // namespace oomdrill::memory
