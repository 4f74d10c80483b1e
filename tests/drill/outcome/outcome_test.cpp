#include "outcome/outcome.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace {

using namespace oomdrill::outcome;

Outcome late() {
  return {.kill = Kill{.after_s = 535.1, .limit_bytes = 536870912},
          .alarms = {{.name = "ecs-memory-utilization-high",
                      .fired = Fired::after,
                      .fired_after_s = 660,
                      .lead_s = -124.9,
                      .why = "two periods need 120 s",
                      .transitions = {{660, State::ok, State::alarm, "2 of 2"}},
                      .transitions_total = 1},
                     {.name = "oom-kills", .why = "nobody publishes it"}},
          .scaling = {{600, "memory", 1, 2, "81 % of 75 %"}}};
}

TEST(Outcome, IsTheShapeThatScriptsRead) {
  nlohmann::ordered_json object;
  put(object, late());
  EXPECT_EQ(object.dump(),
            R"({"kill":{"after_s":535.1,"used_bytes":null,"limit_bytes":536870912},)"
            R"("alarms":[{"name":"ecs-memory-utilization-high","fired":"after",)"
            R"("fired_after_s":660.0,"lead_s":-124.9,"why":"two periods need 120 s",)"
            R"("transitions":[{"after_s":660.0,"from":"OK","to":"ALARM","why":"2 of 2"}],)"
            R"("transitions_total":1},)"
            R"({"name":"oom-kills","fired":"never","fired_after_s":null,"lead_s":null,)"
            R"("why":"nobody publishes it","transitions":[],"transitions_total":0}],)"
            R"("scaling":[{"after_s":600.0,"policy":"memory","from":1,"to":2,)"
            R"("why":"81 % of 75 %"}]})");
}

TEST(Outcome, NoKillIsNull) {
  nlohmann::ordered_json object;
  put(object, {});
  EXPECT_EQ(object.dump(), R"({"kill":null,"alarms":[],"scaling":[]})");
}

TEST(Outcome, ALeadIsMetByAnyAlarmAndByNoneAfterTheKill) {
  Outcome outcome = late();
  EXPECT_FALSE(outcome.leads_by(0));
  outcome.alarms[1].lead_s = 60;
  EXPECT_TRUE(outcome.leads_by(60));
  EXPECT_FALSE(outcome.leads_by(60.5));
  outcome.kill.reset();
  EXPECT_TRUE(outcome.leads_by(3600));
}

TEST(Outcome, TextSaysAfterLoudly) {
  const std::string shown = text(late());
  EXPECT_NE(shown.find("fires after 660 s, 125 s AFTER the kill"), std::string::npos) << shown;
  EXPECT_NE(shown.find("oom-kills                    never fires"), std::string::npos) << shown;
  EXPECT_NE(shown.find("memory: 1 → 2 tasks after 600 s"), std::string::npos) << shown;
}

}  // namespace
