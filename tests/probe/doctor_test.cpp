#include "doctor.h"

#include <gtest/gtest.h>

#include <map>

namespace oomdrill::probe {
namespace {

DoctorFacts v2_container() {
  DoctorFacts facts;
  facts.kernel = "6.1.0";
  Subject subject;
  subject.location.emplace();
  subject.location->version = cgroup::Version::v2;
  subject.location->mount = subject.location->directory = "/sys/fs/cgroup";
  subject.location->ancestors_hidden = subject.location->read_only = true;
  subject.limit.bytes = 64 << 20;
  subject.limit.source = cgroup::LimitSource::own;
  subject.limit.complete = false;
  facts.subject = subject;
  facts.reading.has_sample = true;
  facts.reading.sample.own.oom = facts.reading.sample.own.oom_kill = 0;
  facts.reading.sample.hierarchical = facts.reading.sample.own;
  facts.pollpri = {true, {}};
  facts.lock = {true, {}};
  facts.oom_score_adj = 0;
  return facts;
}

std::string guarantee(const DoctorFacts& facts, const std::string& topic) {
  std::map<std::string, std::string> all;
  for (const auto& [key, sentence] : guarantees(facts)) {
    EXPECT_TRUE(all.emplace(key, sentence).second) << key << " twice";
    EXPECT_TRUE(sentence.ends_with('.')) << sentence;
  }
  return all[topic];
}

bool says(const DoctorFacts& facts, const std::string& topic, const char* part) {
  return guarantee(facts, topic).find(part) != std::string::npos;
}

TEST(Guarantees, OfAContainerOnV2) {
  const auto facts = v2_container();
  EXPECT_TRUE(says(facts, "oom_kills", "told from every other SIGKILL"));
  EXPECT_TRUE(says(facts, "other_processes", "seen at once"));
  EXPECT_TRUE(says(facts, "whose_limit", "for certain"));
  EXPECT_TRUE(says(facts, "limit", "hides"));
  EXPECT_TRUE(says(facts, "lateness", "stay in time"));
}

TEST(Guarantees, OfAContainerOnV1) {
  auto facts = v2_container();
  facts.subject->location->version = cgroup::Version::v1;
  facts.subject->limit.complete = true;
  facts.reading.sample.hierarchical = {};
  facts.reading.sample.own.oom.reset();
  EXPECT_TRUE(says(facts, "other_processes", "at the next look"));
  EXPECT_TRUE(says(facts, "whose_limit", "peak usage"));
  EXPECT_TRUE(says(facts, "limit", "lowest that binds"));
}

TEST(Guarantees, ClaimNothingThatDoesNotHold) {
  auto hanging = v2_container();
  EXPECT_EQ(guarantee(hanging, "oom_killer_off"), "");
  hanging.reading.sample.own.oom_kill_disable = 1;
  EXPECT_TRUE(says(hanging, "oom_killer_off", "hangs until some is freed"));

  auto facts = v2_container();
  facts.subject->counters_trusted = false;
  EXPECT_TRUE(says(facts, "oom_kills", "cannot be told"));
  EXPECT_EQ(guarantee(facts, "other_processes"), "");

  facts = v2_container();
  facts.reading.sample.own = facts.reading.sample.hierarchical = {};
  EXPECT_TRUE(says(facts, "oom_kills", "cannot be told"));
  EXPECT_EQ(guarantee(facts, "whose_limit"), "");

  facts = v2_container();
  facts.lock.failure = "Cannot allocate memory";
  EXPECT_TRUE(says(facts, "lateness", "0.2 s late"));

  facts = v2_container();
  facts.subject->limit.source = cgroup::LimitSource::host;
  EXPECT_TRUE(says(facts, "limit", "off"));

  facts = v2_container();
  facts.subject.reset();
  facts.blind = "nothing there";
  EXPECT_TRUE(says(facts, "oom_kills", "still runs a command"));
  EXPECT_EQ(guarantees(facts).size(), 1U);
  EXPECT_NE(doctor_text(facts).find("none: nothing there"), std::string::npos);
}

TEST(DoctorText, NamesTheCountersThatAreAbsent) {
  const auto text = doctor_text(v2_container());
  EXPECT_NE(text.find("counters            oom_kill, oom, events_local\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("  absent            oom_group_kill, max, peak"), std::string::npos) << text;
}

}  // namespace
}  // namespace oomdrill::probe
