#include <gtest/gtest.h>
#include <malloc.h>

#include <cerrno>

#include "memory/kinds.h"

namespace oomdrill::memory {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr bool kOwnMalloc = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kOwnMalloc = false;
#else
constexpr bool kOwnMalloc = true;
#endif
#else
constexpr bool kOwnMalloc = true;
#endif

TEST(Heap, LargeBlocksKeepComingFromMmapAfterAFree) {
  if (!kOwnMalloc) GTEST_SKIP() << "a sanitizer's malloc has no mmap threshold";
  const auto memory = kHeap.make(Content(1), {});
  const auto mapped = [] { return ::mallinfo2().hblks; };
  const auto before = mapped();
  for (int i = 0; i < 3; ++i) {
    // Larger than any block that earlier tests may have left free: that would serve it.
    const auto block = memory->reserve(std::uint64_t{256} << 20);
    ASSERT_TRUE(block);
    EXPECT_EQ(mapped(), before + 1) << i;
    memory->release(*block);
    EXPECT_EQ(mapped(), before) << i;
  }
}

TEST(Heap, SaysWhatTheKernelRefused) {
  if (!kOwnMalloc) GTEST_SKIP() << "a sanitizer's malloc ends the program instead";
  const auto memory = kHeap.make(Content(1), {});
  const auto block = memory->reserve(std::uint64_t{1} << 62);
  ASSERT_FALSE(block);
  EXPECT_EQ(block.error().errnum, ENOMEM);
  EXPECT_NE(block.error().line().find("malloc: cannot allocate"), std::string::npos);
}

}  // namespace
}  // namespace oomdrill::memory
