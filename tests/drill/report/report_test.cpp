#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "../events.h"
#include "fixture_tree.h"
#include "report/charts_script.h"
#include "report/content.h"
#include "report/escape.h"
#include "report/write.h"

namespace oomdrill::report {
namespace {

recording::Runs runs_of(const std::string& text) {
  test::FixtureTree tree;
  tree.file("/r.jsonl", text);
  recording::Input input{};
  auto runs = recording::read_runs({tree.path() + "/r.jsonl"}, input);
  EXPECT_TRUE(runs) << runs.error().line();
  return std::move(*runs);
}

std::string samples(int count = 20) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += test::event_line(
        "memory.sample", 0.2 + i * 0.3,
        fmt::format(R"("used_bytes":{0},"working_set_bytes":{0},"ecs_used_bytes":1000000,)"
                    R"("anon_bytes":{0},"file_bytes":0,"shmem_bytes":0,"kernel_bytes":4096,)"
                    R"("limit_bytes":67108864)",
                    2000000 + i * 3000000));
  }
  return text;
}

/// The killed drill, with a curve within.
std::string drill() {
  std::string text = test::killed_drill();
  text.insert(text.find(R"({"event":"memory.sample")"), samples());
  return text;
}

/// A page without the program that draws its charts, which is always the same.
std::string without_program(std::string page) {
  std::string program;
  for (const std::string_view piece : charts_script()) program += piece;
  const std::size_t at = page.find("<script>" + program + "</script>");
  EXPECT_NE(at, std::string::npos);
  return page.erase(at, program.size() + 17);
}

TEST(Report, HasEverySection) {
  const Document document = compose(runs_of(drill()), {});
  std::vector<std::string> headings;
  for (const Section& section : document.sections) {
    headings.push_back(section.heading);
    EXPECT_FALSE(section.blocks.empty()) << section.heading;
  }
  EXPECT_EQ(headings, (std::vector<std::string>{
                          "Timeline", "Usage against the limit", "Breakdown by kind",
                          "What each observer saw", "Alarms and their lead", "Scaling",
                          "Verdict and evidence", "What to change", "The commands to repeat it"}));
  EXPECT_NE(document.summary.find("was OOM-killed 8.13 s after its leak began"), std::string::npos)
      << document.summary;
  EXPECT_NE(document.summary.find("steady leak"), std::string::npos) << document.summary;
}

/// A child that was killed under a parent, which ended as `end` says.
std::string child_killed(bool survived, const std::string& end) {
  return test::event_line("workload.started", 0, R"("command":"sh")") + samples() +
         test::event_line("memory.oom_kill", 6.2,
                          fmt::format(R"("kills":1,"survived":{},"last_sample":)"
                                      R"({{"age_s":0.1,"used_bytes":66000000}})",
                                      survived)) +
         end;
}

TEST(Report, SaysWhoSurvivedAKill) {
  const auto summary = [](const std::string& text) { return compose(runs_of(text), {}).summary; };
  std::string told = summary(child_killed(
      true, test::event_line("workload.exited", 8, R"("verdict":"completed","exit_code":0)")));
  EXPECT_NE(told.find(": 6.20 s after its run began an OOM kill hit it, at 62.9 MiB of 64.0 MiB, "
                      "and it survived."),
            std::string::npos)
      << told;
  // It ended within the moment of the kill, though not by it: the timeline says so, too.
  told = summary(child_killed(
      false, test::event_line("workload.exited", 6.2, R"("verdict":"failed","exit_code":137)")));
  EXPECT_NE(told.find("and it ended with it: failed, exit code 137."), std::string::npos) << told;
  EXPECT_EQ(told.find("survived"), std::string::npos) << told;
  told = summary(
      child_killed(true, test::event_line("memory.oom_kill", 9, R"("kills":1,"survived":false)") +
                             test::event_line("workload.exited", 9, R"("verdict":"oom_killed")")));
  EXPECT_NE(told.find("There were 2 OOM kills in all, the last of which ended it."),
            std::string::npos)
      << told;
}

TEST(Report, WhatIsNotKnownIsNoAdviceAndNoClaim) {
  const std::string started = test::event_line("workload.started", 0, R"("command":"sh")");
  const std::string ended =
      test::event_line("workload.exited", 8, R"("verdict":"completed","exit_code":0)");
  std::string text = markdown(compose(runs_of(started + samples(5) + ended), {}));
  EXPECT_NE(text.find("Not known: whether it leaks. 5 samples are too few: 8 are needed; record"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("30 are needed; record for longer"), std::string::npos) << text;
  EXPECT_EQ(text.find("Nothing:"), std::string::npos);
  EXPECT_NE(text.find("was not OOM-killed in 8.00 s"), std::string::npos) << text;

  const std::string cut = started + samples(40);
  const Document document = compose(runs_of(cut), {});
  EXPECT_EQ(document.summary.find("OOM-killed"), std::string::npos) << document.summary;
  EXPECT_NE(document.summary.find("how it ended is not known: the recording breaks off after"),
            std::string::npos)
      << document.summary;
  text = markdown(document);
  EXPECT_EQ(text.find("unknown (likely)"), std::string::npos) << text;
  EXPECT_NE(text.find("Not known: how it ended"), std::string::npos) << text;
}

TEST(Report, WhatGrewIsAsTheTableSays) {
  // It rose and came to rest: no leak, and yet anonymous memory grew.
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += test::event_line("memory.sample", i,
                             fmt::format(R"("used_bytes":{0},"anon_bytes":{0},"kernel_bytes":4096)",
                                         400000 + std::min(i, 12) * 4000000));
  }
  std::string told = markdown(compose(runs_of(text), {}));
  EXPECT_NE(told.find("What grew most is anonymous: from 390.6 KiB to 46.2 MiB"), std::string::npos)
      << told;
  text.clear();
  for (int i = 0; i < 40; ++i) {
    text += test::event_line("memory.sample", i, R"("used_bytes":900000,"anon_bytes":900000)");
  }
  told = markdown(compose(runs_of(text), {}));
  EXPECT_NE(told.find("No kind of memory that counts grew"), std::string::npos) << told;
}

TEST(Report, WhatWasSeenIsOfBeforeTheKill) {
  std::string after;
  for (int i = 0; i < 10; ++i) {
    after += test::event_line("memory.sample", 7 + i,
                              R"("used_bytes":1000000,"ecs_used_bytes":1000000,"anon_bytes":1)");
  }
  const std::string told = markdown(compose(
      runs_of(child_killed(
          true, after + test::event_line("workload.exited", 18, R"("verdict":"completed")"))),
      {}));
  EXPECT_NE(told.find("At the last sample before the first OOM kill"), std::string::npos) << told;
  EXPECT_NE(told.find("| the kernel | 56.3 MiB | 87.9 % |"), std::string::npos) << told;
  EXPECT_NE(told.find("56.3 MiB before the first OOM kill"), std::string::npos) << told;
}

TEST(Report, ThePaceIsTheOneOfItsTable) {
  // It grows faster and faster: the last half has another slope than all of it.
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += test::event_line(
        "memory.sample", i,
        fmt::format(R"("used_bytes":{0},"anon_bytes":{0})", 1000000 + i * i * 40000));
  }
  const Document document = compose(runs_of(text), {});
  const std::string told = markdown(document);
  const std::string& summary = document.summary;
  const std::size_t at = summary.find(" It grew by ");
  ASSERT_NE(at, std::string::npos) << summary;
  const std::string pace = summary.substr(at + 12, summary.find(" (95 %", at) - at - 12);
  EXPECT_NE(told.find(fmt::format("| \\+{} |", pace)), std::string::npos) << told;
  EXPECT_NE(told.find(fmt::format("{}. At this pace", pace)), std::string::npos) << told;
}

TEST(Report, TellsABlindSpot) {
  const std::string text = markdown(compose(runs_of(drill()), {}));
  EXPECT_NE(text.find("A blind spot: CloudWatch leaves"), std::string::npos) << text;
}

TEST(Report, ShowsAlarmsThatAreGivenToIt) {
  Extras extras;
  extras.alarms = {{.name = "ecs-memory-utilization-high",
                    .fired = "never",
                    .why = "85 % was passed 1.2 s before the kill",
                    .suggestion = "70 % over 10 s would have led by 3 s",
                    .transitions = {{4.0, "INSUFFICIENT_DATA", "OK"}}},
                   {.name = "early",
                    .fired = "before",
                    .fired_after_s = 5,
                    .lead_s = 3.13,
                    .why = "w",
                    .suggestion = ""}};
  const Document document = compose(runs_of(drill()), extras);
  const std::string text = markdown(document);
  for (const char* part : {"ecs-memory-utilization-high", "70 % over 10 s", "3.13 s", "4.00 s"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
  EXPECT_NE(html(document).find("ALARM early"), std::string::npos);
  EXPECT_NE(document.summary.find("Of 2 alarms 1 fired before the kill"), std::string::npos);
}

TEST(Report, TellsTimesOfADrillOnItsOwnScale) {
  std::string text = test::named_drill();
  text.insert(text.find(R"({"event":"memory.sample")"), samples());
  Extras extras;
  extras.stretch = 64;
  extras.alarm_source = "guide";
  extras.alarms = {{.name = "late",
                    .fired = "after",
                    .fired_after_s = 640,
                    .lead_s = -120,
                    .why = "w",
                    .suggestion = "",
                    .transitions = {{640, "OK", "ALARM"}}}};
  const auto runs = runs_of(text);
  const std::string told = markdown(compose(runs, extras));
  for (const char* part :
       {"oom\\_killed (certain)", "| 10.00 s |", "after 10 min 40 s on its scale", "-2 min",
        "A second of the drill counts as 64 for alarms", "oomdrill run guide\n",
        "--alarms guide -o report.html"}) {
    EXPECT_NE(told.find(part), std::string::npos) << part << '\n' << told;
  }
  const auto document = nlohmann::json::parse(json(compose(runs, extras)));
  for (const auto& mark : document["sections"][1]["blocks"][0]["marks"]) {
    EXPECT_LT(mark["at_s"].get<double>(), 11) << mark;
  }
}

TEST(Escape, LeavesNoMarkup) {
  EXPECT_EQ(html_text("<a href=\"x\" b='y'>&"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
  EXPECT_EQ(clean_text("a\nb\x1b[31m\x7f"), "a b [31m ");
  EXPECT_EQ(clean_text("a\xff\xfe"), "a\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(clean_text("a\u202Eb\u2066c"), "a\uFFFDb\uFFFDc");
  EXPECT_EQ(clean_text("grün €"), "grün €");
  EXPECT_EQ(markdown_text("a|b`c`*d*_e_[f](g)<i>!~#"),
            "a\\|b\\`c\\`\\*d\\*\\_e\\_\\[f\\](g)&lt;i&gt;\\!\\~\\#");
  EXPECT_EQ(markdown_text("- x"), "\\- x");
  EXPECT_EQ(markdown_text("@team"), "@&#8203;team");
  EXPECT_EQ(markdown_text("http://x www.y"), "http&#58;&#8203;//x www&#46;&#8203;y");
}

/// Every text of the document that a recording can set.
TEST(Report, HostileTextsBecomeNoMarkup) {
  const std::string bad =
      R"(<img src=x onerror=alert(1)>](javascript:x)|\u0060\u0060\u0060\u202e</title></svg><script>&)";
  std::string text;
  for (const char* const name :
       {"drill.started", "probe.started", "workload.started", "leak.started"}) {
    text += test::event_line(
        name, 0,
        fmt::format(R"("command":"{0}","pattern":"{0}","limit_source":"{0}","limit_where":"{0}",)"
                    R"("task_id":"{0}","container_name":"{0}","limit_bytes":67108864)",
                    bad));
  }
  const auto with = [&](std::string line) {
    line.insert(line.rfind('}'), fmt::format(R"(,"task_id":"{0}","container_name":"{0}")", bad));
    return line;
  };
  const std::string curve = samples();
  for (std::size_t at = 0; at < curve.size();) {
    const std::size_t end = curve.find('\n', at) + 1;
    text += with(curve.substr(at, end - at));
    at = end;
  }
  text += with(test::event_line("probe.warning", 7, fmt::format(R"("message":"{}")", bad)));
  text += with(test::event_line(
      "memory.oom_kill", 7,
      fmt::format(R"("scope":"{0}","victim":{{"pid":1,"name":"{0}"}},"limit_source":"{0}")", bad)));
  text += with(test::event_line("workload.exited", 8,
                                fmt::format(R"("verdict":"{0}","signal":"{0}")", bad)));
  Extras extras;
  const std::string raw = "<img src=x onerror=alert(1)>](javascript:x)|```</title></svg><script>&";
  extras.alarms = {{.name = raw,
                    .fired = raw,
                    .fired_after_s = 3,
                    .lead_s = 4,
                    .why = raw,
                    .suggestion = raw,
                    .transitions = {{1, raw, raw}}}};
  extras.scaling = {{2, raw}};
  const Document document = compose(runs_of(text), extras);

  const std::string page = without_program(html(document));
  // The charts' data are scripts that nobody runs, and end where they should.
  std::size_t charts = 0;
  for (std::size_t at = 0; (at = page.find("<script", at)) != std::string::npos; ++charts) {
    EXPECT_EQ(page.find("<script type=\"application/json\">{", at), at);
    at = page.find('<', at + 1);
    EXPECT_EQ(page.find("</script></figure>", at), at);
  }
  EXPECT_EQ(charts, 2U);
  for (const char* part : {"<img", "<script>", "</title></svg>", "\u202e"}) {
    EXPECT_EQ(page.find(part), std::string::npos) << part;
  }
  EXPECT_GT(std::count(page.begin(), page.end(), '&'), 50);
  // The texts are there, as texts.
  EXPECT_NE(page.find("&lt;img src=x onerror=alert(1)&gt;"), std::string::npos);

  std::string paper = markdown(document);
  // Commands stand in a fence that is longer than theirs; all else is escaped.
  const std::size_t fence = paper.find("````sh\n");
  ASSERT_NE(fence, std::string::npos);
  const std::size_t closing = paper.find("\n````\n", fence);
  ASSERT_NE(closing, std::string::npos);
  paper.erase(fence, closing + 5 - fence);
  for (const char* part : {"<", "](", "```", "\u202e"}) {
    std::size_t at = 0;
    while ((at = paper.find(part, at)) != std::string::npos) {
      EXPECT_TRUE(at > 0 && paper[at - 1] == '\\') << part << ": " << paper.substr(at, 60);
      ++at;
    }
  }
  EXPECT_TRUE(nlohmann::json::accept(json(document)));
}

TEST(Report, IsWellFormedWhateverTheRecordingHolds) {
  // One event alone; a kill alone; no limit; two runs.
  for (const std::string& text :
       {test::event_line("memory.sample", 0, R"("used_bytes":1)"),
        test::event_line("memory.oom_kill", 0), test::event_line("leak.started", 0),
        test::killed_drill() + test::killed_drill(), samples(200)}) {
    const Document document = compose(runs_of(text), {});
    const std::string page = without_program(html(document));
    EXPECT_EQ(page.find("nan"), std::string::npos) << text;
    EXPECT_EQ(page.find("inf,"), std::string::npos) << text;
    EXPECT_TRUE(page.ends_with("</html>\n"));
    EXPECT_FALSE(markdown(document).empty());
    EXPECT_TRUE(nlohmann::json::accept(json(document)));
  }
}

TEST(Write, NeverOverItsOwnInput) {
  test::FixtureTree tree;
  tree.file("/r.jsonl", "x").file("/other", "y");
  std::filesystem::create_symlink(tree.path() + "/r.jsonl", tree.path() + "/link");
  const auto refused = [&](const std::string& path, const std::string& other) {
    return !refuse_same(path, other, "a recording");
  };
  const std::string at = tree.path();
  EXPECT_TRUE(refused(at + "/r.jsonl", at + "/r.jsonl"));
  EXPECT_TRUE(refused(at + "/link", at + "/r.jsonl"));
  EXPECT_TRUE(refused(at + "/./new.html", at + "/new.html"));
  EXPECT_TRUE(refused("./no-such.html", "no-such.html"));
  EXPECT_FALSE(refused(at + "/other", at + "/r.jsonl"));
  EXPECT_FALSE(refused(at + "/new.html", at + "/r.jsonl"));
  EXPECT_FALSE(refused("-", "-"));
  EXPECT_FALSE(refused("/dev/null", "/dev/null"));
}

TEST(Format, IsAsTheFilesNameEnds) {
  EXPECT_EQ(format_of("", "a.md"), Format::markdown);
  EXPECT_EQ(format_of("", "a.json"), Format::json);
  EXPECT_EQ(format_of("", "a.html"), Format::html);
  EXPECT_EQ(format_of("", ""), Format::html);
  EXPECT_EQ(format_of("markdown", "a.html"), Format::markdown);
  EXPECT_FALSE(format_of("pdf", ""));
}

}  // namespace
}  // namespace oomdrill::report
