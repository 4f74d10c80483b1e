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

TEST_P(EachKind, GivesItsFrontBackAndBeginsAnew) {
  const auto memory = kind().make(Content(1), {});
  const std::uint64_t granule = memory->granule();
  EXPECT_EQ(granule & (granule - 1), 0u);
  for (int round = 0; round < 2; ++round) {
    Block first{};
    std::uint64_t left = 3'000'000;
    std::vector<Block> rest;
    while (left > 0) {
      const auto block = memory->reserve(left);
      ASSERT_TRUE(block) << block.error().line();
      ASSERT_TRUE(memory->write(*block, 0, block->bytes));
      memory->touch(*block, 0, block->bytes);
      left -= block->bytes;
      rest.push_back(*block);
    }
    if (kind().divisible && granule == 1) {
      first = {rest.front().handle, 10'000};
      memory->release(first);
      rest.front() = {first.handle + first.bytes, rest.front().bytes - first.bytes};
      memory->touch(rest.front(), 0, rest.front().bytes);
    }
    for (const Block& block : rest) memory->release(block);
    memory->reset();
  }
}

TEST_P(EachKind, SaysWhatItIs) {
  EXPECT_FALSE(kind().help.empty());
  EXPECT_FALSE(kind().claim({}).overhead_help.empty());
  EXPECT_LT(kind().claim({}).overhead, 1);
  // Not resident unless it is charged; the other way round there is much.
  EXPECT_FALSE(kind().claim({}).resident && kind().claim({}).counter == Counter::none);
  for (const plan::Parameter& parameter : kind().parameters) {
    const auto choice =
        parse_kind(kinds(), std::string(kind().name) + ":" + std::string(parameter.name) + "=" +
                                std::string(parameter.default_value));
    ASSERT_TRUE(choice) << choice.error().line();
    EXPECT_EQ(setting(choice->settings, parameter), parameter.default_value);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, EachKind, testing::Range<std::size_t>(0, kinds().size()),
                         [](const auto& each) { return std::string(kinds()[each.param].name); });

TEST(FindKind, ListsTheKnownOnes) {
  EXPECT_EQ((*find_kind(kinds(), "heap"))->name, "heap");
  const auto kind = find_kind(kinds(), "swap");
  ASSERT_FALSE(kind);
  EXPECT_EQ(
      kind.error().line(),
      "unknown kind of memory 'swap'; choose one of anon, heap, stack, memfd, tmpfs, file, shm, "
      "fork, kernel, hugepage, untouched");
}

struct Text {
  const char* name;
  const char* text;
  const char* error;  ///< null: none
};
class ParseKind : public testing::TestWithParam<Text> {};

TEST_P(ParseKind, Reads) {
  const auto choice = parse_kind(kinds(), GetParam().text);
  ASSERT_EQ(choice.has_value(), GetParam().error == nullptr);
  if (!choice) {
    EXPECT_EQ(choice.error().line(), GetParam().error);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Texts, ParseKind,
    testing::Values(Text{"plain", "memfd", nullptr}, Text{"value", "file:clean", nullptr},
                    Text{"key", "file:pages=clean,dir=/tmp", nullptr},
                    Text{"directory", "tmpfs:/tmp", nullptr},
                    Text{"none", "anon:x", "anon: unknown parameter 'x'; it has none"},
                    Text{"key_unknown", "file:colour=red",
                         "file: unknown parameter 'colour'; choose pages, dir"},
                    Text{"value_unknown", "kernel:threads",
                         "kernel: 'threads' is no of; write of=pipes|sockets|inodes"},
                    Text{"empty", "tmpfs:dir=", "tmpfs: '' is no dir; write dir=DIRECTORY"}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace oomdrill::memory
