// The contract of a kind of memory, over the table.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "memory/memory.h"

namespace oomdrill::memory {
namespace {

class EachKind : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    if (const auto status = kind().supported({}); !status) GTEST_SKIP() << status.error().line();
  }
  [[nodiscard]] const Kind& kind() const { return kinds()[GetParam()]; }
};

TEST_P(EachKind, GivesWhatIsAskedForInParts) {
  const auto memory = kind().make(Content(1), {});
  std::vector<Block> blocks;
  std::uint64_t left = 5'000'000;
  while (left > 0) {
    const auto block = memory->reserve(left);
    ASSERT_TRUE(block) << block.error().line();
    ASSERT_GT(block->bytes, 0u);
    ASSERT_LE(block->bytes, left);
    ASSERT_TRUE(memory->write(*block, 0, block->bytes));
    left -= block->bytes;
    blocks.push_back(*block);
  }
  for (const Block& block : blocks) memory->release(block);
}

TEST_P(EachKind, WritesInSlices) {
  const auto memory = kind().make(Content(1), {});
  const auto block = memory->reserve(100'000);
  ASSERT_TRUE(block);
  for (std::uint64_t from = 0; from < block->bytes; from += 333) {
    ASSERT_TRUE(memory->write(*block, from, std::min<std::uint64_t>(333, block->bytes - from)));
  }
  memory->release(*block);
}

TEST_P(EachKind, SmallBlocksWherePromisedHaveRoomForALink) {
  if (!kind().small_blocks) return;
  const auto memory = kind().make(Content(1), {});
  std::vector<Block> blocks;
  for (int i = 0; i < 1000; ++i) {
    const auto block = memory->reserve(16);
    ASSERT_TRUE(block);
    ASSERT_EQ(block->bytes, 16u);
    ASSERT_TRUE(memory->write(*block, 0, 16));
    std::memset(reinterpret_cast<void*>(block->handle), i % 256, 8);
    blocks.push_back(*block);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(*reinterpret_cast<const unsigned char*>(blocks[i].handle), i % 256);
  }
  for (std::size_t i = 0; i < blocks.size(); i += 2) memory->release(blocks[i]);
  for (std::size_t i = 1; i < blocks.size(); i += 2) memory->release(blocks[i]);
}

INSTANTIATE_TEST_SUITE_P(Table, EachKind, testing::Range<std::size_t>(0, kinds().size()),
                         [](const auto& each) { return std::string(kinds()[each.param].name); });

TEST(FindKind, ListsTheKnownOnes) {
  EXPECT_EQ((*find_kind(kinds(), "heap"))->name, "heap");
  const auto kind = find_kind(kinds(), "swap");
  ASSERT_FALSE(kind);
  EXPECT_EQ(kind.error().line(), "unknown kind of memory 'swap'; choose one of anon, heap");
}

}  // namespace
}  // namespace oomdrill::memory
