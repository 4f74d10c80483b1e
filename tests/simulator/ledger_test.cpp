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

TEST_F(LedgerTest, AgreesWithThePlansOwnSums) {
  use(FakeMemory::kWhole);
  const auto plan =
      plan::make_plan("fragment:block=64,step=16,round=32KiB,keep=5,rate=1MB/s", {}, 99);
  ASSERT_TRUE(plan);
  plan::Totals totals;
  for (int i = 0; i < 200; ++i) {
    const auto step = (*plan)->next();
    totals.apply(*step);
    apply(step->action);
    ASSERT_EQ(ledger_->live(), totals.live());
    ASSERT_EQ(ledger_->allocated(), totals.allocated());
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

TEST_F(LedgerTest, ShrinksByWholeGranulesAndOwesTheRest) {
  memory_.set_granule(256);  // handles begin at a multiple
  apply(plan::Grow{10'000});
  apply(plan::Grow{10'000});
  apply(plan::Shrink{255});
  EXPECT_EQ(ledger_->live(), 20'000u);
  apply(plan::Shrink{300});
  EXPECT_EQ(memory_.released(), 512u);
  EXPECT_EQ(ledger_->live(), 20'000u - 512u);
  apply(plan::Shrink{30'000});  // all of it, the odd end too
  EXPECT_EQ(ledger_->live(), 0u);
  EXPECT_EQ(memory_.released(), 20'000u);
  EXPECT_EQ(memory_.resets(), 1);
}

TEST_F(LedgerTest, TouchesRoundAndRound) {
  memory_.remember_touches();
  memory_.limit_reservation(5000);
  apply(plan::Grow{10'000});
  const std::uintptr_t first = std::uintptr_t{1} << 40;
  EXPECT_EQ(ledger_->touch(7000), 7000u);
  EXPECT_EQ(ledger_->touch(7000), 7000u);
  ASSERT_EQ(memory_.touched().size(), 3u);  // joined blocks: one piece, then to the end, then anew
  EXPECT_EQ(memory_.touched()[0].handle, first);
  EXPECT_EQ(memory_.touched()[1].handle, first + 7000);
  EXPECT_EQ(memory_.touched()[1].bytes, 3000u);
  EXPECT_EQ(memory_.touched()[2].handle, first);
  EXPECT_EQ(memory_.touched()[2].bytes, 4000u);
  // What is given back is not touched; never more than all at once.
  apply(plan::Shrink{5000});
  EXPECT_EQ(ledger_->touch(100'000), 5000u);
  for (std::size_t i = 3; i < memory_.touched().size(); ++i) {
    EXPECT_GE(memory_.touched()[i].handle, first + 5000);
  }
}

TEST_F(LedgerTest, TouchesTheBlocksThatAGroupKept) {
  use(FakeMemory::kWhole);
  memory_.remember_touches();
  apply(plan::Allocate{10, 64, 1});
  apply(plan::Allocate{2, 32, 2});
  EXPECT_EQ(ledger_->touch(100), 128u);
  apply(plan::FreeMost{1, 5, 0});
  EXPECT_EQ(ledger_->live(), 2 * 64u + 2 * 32u);
  const std::size_t before = memory_.touched().size();
  EXPECT_EQ(ledger_->touch(1000), 192u);
  std::set<std::uintptr_t> touched;
  for (std::size_t i = before; i < memory_.touched().size(); ++i) {
    touched.insert(memory_.touched()[i].handle);
  }
  EXPECT_EQ(touched, memory_.held());
  ledger_->release_all();
  EXPECT_EQ(ledger_->touch(1000), 0u);
}

TEST_F(LedgerTest, TouchesNothingWhileTheFirstBlockIsWritten) {
  std::uint64_t touched = 1;
  EXPECT_TRUE(ledger_->apply(plan::Grow{2 * Ledger::kSlice}, kAll, [&] {
    touched = ledger_->touch(1000);
    return true;
  }));
  EXPECT_EQ(touched, 0u);
  EXPECT_EQ(ledger_->touch(1000), 1000u);
}

}  // namespace
}  // namespace oomdrill::simulator
