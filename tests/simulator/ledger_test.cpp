#include "ledger.h"

#include <gtest/gtest.h>

#include <set>

#include "fake_memory.h"

namespace oomdrill::simulator {
namespace {

using test::FakeMemory;

bool on() { return true; }

class LedgerTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kAll = UINT64_MAX;
  void apply(const plan::Action& action, std::uint64_t most = kAll) {
    const auto status = ledger_->apply(action, most, on);
    EXPECT_TRUE(status) << status.error().line();
  }
  void use(const memory::Kind& kind) {
    ledger_.reset();
    kind_ = kind;
    ledger_.emplace(memory_, kind_);
  }
  memory::Kind kind_ = FakeMemory::kKind;
  FakeMemory memory_;
  std::optional<Ledger> ledger_{std::in_place, memory_, kind_};
};

TEST_F(LedgerTest, CountsWhatIsWritten) {
  apply(plan::Grow{1000});
  apply(plan::Grow{500});
  EXPECT_EQ(ledger_->live(), 1500u);
  EXPECT_EQ(ledger_->allocated(), 1500u);
  EXPECT_EQ(memory_.written(), 1500u);
}

TEST_F(LedgerTest, AsksAgainWhereThereIsNoRoomInARow) {
  memory_.limit_reservation(300);
  apply(plan::Grow{1000});
  EXPECT_EQ(ledger_->live(), 1000u);
  EXPECT_EQ(memory_.reservations(), 4u);
}

TEST_F(LedgerTest, ShrinksFromTheFrontOfDivisibleBlocks) {
  apply(plan::Grow{1000});
  apply(plan::Grow{1000});
  apply(plan::Shrink{1300});
  EXPECT_EQ(ledger_->live(), 700u);
  EXPECT_EQ(memory_.released(), 1300u);
  EXPECT_EQ(ledger_->allocated(), 2000u);
  apply(plan::Shrink{5000});
  EXPECT_EQ(ledger_->live(), 0u);
  apply(plan::Grow{10});
  EXPECT_EQ(ledger_->live(), 10u);
}

TEST_F(LedgerTest, ShrinksWholeBlocksWhereTheyCannotBeDividedAndOwesTheRest) {
  use(FakeMemory::kWhole);
  apply(plan::Grow{1000});
  apply(plan::Grow{1000});
  apply(plan::Grow{1000});
  apply(plan::Shrink{999});
  EXPECT_EQ(ledger_->live(), 3000u);
  apply(plan::Shrink{500});  // 1499 in all: one block, 499 still owed
  EXPECT_EQ(ledger_->live(), 2000u);
  apply(plan::Shrink{501});
  EXPECT_EQ(ledger_->live(), 1000u);
}

TEST_F(LedgerTest, NeverHoldsMoreThanAllowed) {
  apply(plan::Grow{1000}, 600);
  EXPECT_EQ(ledger_->live(), 600u);
  apply(plan::Grow{1000}, 600);
  EXPECT_EQ(ledger_->live(), 600u);
  use(FakeMemory::kWhole);
  apply(plan::Allocate{100, 64, 0}, 650);
  EXPECT_EQ(ledger_->live(), 640u);
}

TEST_F(LedgerTest, StopsWithinASlice) {
  int asked = 0;
  const auto status =
      ledger_->apply(plan::Grow{10 * Ledger::kSlice}, kAll, [&asked] { return ++asked < 3; });
  EXPECT_TRUE(status);
  EXPECT_EQ(ledger_->live(), 3 * Ledger::kSlice);
  use(FakeMemory::kWhole);
  asked = 0;
  EXPECT_TRUE(ledger_->apply(plan::Allocate{10 * Ledger::kSlice / 1024, 1024, 0}, kAll,
                             [&asked] { return ++asked < 2; }));
  EXPECT_EQ(ledger_->live(), 2 * Ledger::kSlice);
}

TEST_F(LedgerTest, CountsWhatWasWrittenBeforeTheKernelRefused) {
  memory_.limit_reservation(400);
  memory_.refuse_after(2);
  const auto status = ledger_->apply(plan::Grow{1000}, kAll, on);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "refused");
  EXPECT_EQ(ledger_->live(), 800u);
}

TEST_F(LedgerTest, KeepsTheChosenBlocksOfAGroup) {
  use(FakeMemory::kWhole);
  apply(plan::Allocate{6, 64, 1});
  apply(plan::Allocate{3, 32, 2});
  apply(plan::Allocate{4, 64, 1});
  const auto blocks = memory_.handles();
  apply(plan::FreeMost{1, 4, 1});
  // Of group 1 the positions 1, 5 and 9, which are reservations 1, 5 and 12;
  // and all of group 2.
  const std::set<std::uintptr_t> expected = {blocks[1], blocks[5], blocks[12],
                                             blocks[6], blocks[7], blocks[8]};
  EXPECT_EQ(memory_.held(), expected);
  EXPECT_EQ(ledger_->live(), 3 * 64u + 3 * 32u);
  apply(plan::FreeMost{1, 2, 1});
  EXPECT_EQ(ledger_->live(), 64u + 3 * 32u);
  apply(plan::FreeMost{1, 2, 1});
  EXPECT_EQ(ledger_->live(), 3 * 32u);
  apply(plan::Allocate{2, 128, 1});
  EXPECT_EQ(ledger_->live(), 3 * 32u + 256u);
}

TEST_F(LedgerTest, FreesTheSampledPositionsOfAGroup) {
  use(FakeMemory::kWhole);
  apply(plan::Allocate{40, 64, 1});
  auto expected = memory_.held();
  const auto blocks = memory_.handles();
  const plan::FreeSampled rule{1, 13, 5, 42};
  plan::SampledPositions positions(rule, 40);
  while (const auto position = positions.next()) expected.erase(blocks[*position]);
  apply(rule);
  EXPECT_EQ(memory_.held(), expected);
  EXPECT_EQ(ledger_->live(), 27 * 64u);
  apply(plan::FreeSampled{2, 1, 5, 42});
  apply(plan::Allocate{1, 64, 1});
  apply(plan::FreeSampled{1, 100, 5, 42});
  EXPECT_EQ(ledger_->live(), 0u);
  EXPECT_TRUE(memory_.held().empty());
}

TEST_F(LedgerTest, AgreesWithThePlansOwnSums) {
  for (const char* text :
       {"fragment:block=64,step=16,round=8KiB,keep=5,rate=200kB/s", "comb:fill=8KiB,rate=200kB/s",
        "shift:round=8KiB,larger=2%,rate=200kB/s", "lru:cache=64KiB,turn=80KiB,rate=200kB/s",
        "random-walk:volatility=1MB", "sawtooth:grow=1MB,floor=10kB,leak=7kB"}) {
    use(FakeMemory::kWhole);
    const auto plan = plan::make_plan(text, {}, 99);
    ASSERT_TRUE(plan) << text;
    // Blocks that cannot be divided are released whole, so only pages follow a Shrink to the byte.
    if (!plan::parse_pattern(text)->front().pattern->needs_blocks) use(FakeMemory::kKind);
    plan::Totals totals;
    for (int i = 0; i < 400; ++i) {
      const auto step = (*plan)->next();
      totals.apply(*step);
      apply(step->action);
      ASSERT_EQ(ledger_->live(), totals.live()) << text;
      ASSERT_EQ(ledger_->allocated(), totals.allocated()) << text;
    }
  }
}

TEST_F(LedgerTest, GivesAllBack) {
  apply(plan::Grow{1000});
  ledger_.reset();
  EXPECT_EQ(memory_.released(), 1000u);
  use(FakeMemory::kWhole);
  apply(plan::Allocate{10, 64, 0});
  apply(plan::Grow{64});
  ledger_.reset();
  EXPECT_TRUE(memory_.held().empty());
}

}  // namespace
}  // namespace oomdrill::simulator
