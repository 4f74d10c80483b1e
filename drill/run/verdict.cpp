#include "run/verdict.h"

#include <fmt/core.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "run/process.h"
#include "run/summary.h"

namespace oomdrill::run {
namespace {

bool looks_killed(int status) {
  // A supervisor or docker reports its child's SIGKILL as 137.
  return exit_code_of(status) == 128 + SIGKILL;
}

std::string words_of(std::string_view scope) {
  if (scope == "own_limit") return "own limit";
  if (scope == "descendant_limit") return "the limit of a cgroup below";
  if (scope == "ancestor_limit") return "an ancestor's limit";
  if (scope == "host") return "the host ran out of memory";
  return "unknown limit";
}

/// "oom_kill 0 → 1 outside, 0 → 1 inside".
std::string counters(const recording::Account& inside, const Outside& outside) {
  std::string text;
  if (outside.oom_kills()) {
    text = fmt::format("oom_kill {} → {} outside", *outside.before->oom_kill,
                       *outside.after->oom_kill);
  } else if (outside.after && outside.after->engine_oom_killed) {
    text = fmt::format("the engine says OOMKilled={}", *outside.after->engine_oom_killed);
  }
  if (!inside.kills.empty()) {
    const auto& first = inside.kills.front();
    const auto& last = inside.kills.back();
    if (first.before && last.after) {
      text += fmt::format("{}{}{} → {} inside", text.empty() ? "" : ", ",
                          outside.oom_kills() ? "" : "oom_kill ", *first.before, *last.after);
    }
  }
  return text;
}

std::vector<std::string> compare(const recording::Account& inside, const Outside& outside,
                                 const std::string& outcome) {
  std::vector<std::string> found;
  const auto kills = outside.oom_kills();
  // A probe that is gone without its last word may have had more to say, but not less.
  if (kills && (inside.exited ? *kills != inside.kills_total : *kills < inside.kills_total)) {
    found.push_back(fmt::format("the cgroup's counter says {} ({} → {}), the probe reported {}",
                                plural(*kills, "OOM kill"), *outside.before->oom_kill,
                                *outside.after->oom_kill, inside.kills_total));
  }
  if (!inside.exited) return found;

  if (outside.after && outside.after->engine_oom_killed) {
    const bool engine = *outside.after->engine_oom_killed;
    // docker sets it for any process of the container, as the counter does (facts.md, 2).
    if (engine != (inside.kills_total > 0)) {
      found.push_back(fmt::format("the engine says OOMKilled={}, the probe reported {}", engine,
                                  plural(inside.kills_total, "OOM kill")));
    }
  }
  if (outcome == "oom_killed" && inside.kills_total == 0) {
    found.emplace_back("the workload is reported as oom_killed without any memory.oom_kill event");
  }
  const auto same_code = [&](int code, std::string_view whose) {
    if (inside.exited->exit_code && static_cast<std::uint64_t>(code) != *inside.exited->exit_code) {
      found.push_back(fmt::format("{} ended with {}, the probe had announced {}", whose, code,
                                  *inside.exited->exit_code));
    }
  };
  if (outside.status) same_code(exit_code_of(*outside.status), "the probe's process");
  if (outside.after && outside.after->engine_exit_code) {
    same_code(*outside.after->engine_exit_code, "the container");
  }
  return found;
}

}  // namespace

std::optional<std::uint64_t> Outside::oom_kills() const {
  if (!before || !after || !before->oom_kill || !after->oom_kill) return std::nullopt;
  if (*after->oom_kill < *before->oom_kill) return std::nullopt;
  return *after->oom_kill - *before->oom_kill;
}

std::string_view name(Confidence confidence) {
  switch (confidence) {
    case Confidence::certain:
      return "certain";
    case Confidence::likely:
      return "likely";
    case Confidence::disputed:
      return "disputed";
  }
  return "disputed";
}

Verdict recorded_verdict(const recording::Account& account) {
  if (!account.drill_end) return derive(account, {});
  Verdict verdict{account.drill_end->verdict, Confidence::likely, account.drill_end->why, {}};
  for (const Confidence each : {Confidence::certain, Confidence::disputed}) {
    if (name(each) == account.drill_end->confidence) verdict.confidence = each;
  }
  if (!account.drill_end->disagreement.empty()) {
    verdict.disagreements.push_back(account.drill_end->disagreement);
  }
  return verdict;
}

Verdict derive(const recording::Account& inside, const Outside& outside) {
  Verdict verdict;
  const auto kills = outside.oom_kills();
  const bool engine_speaks = outside.after && outside.after->engine_oom_killed.has_value();
  const bool killed_outside =
      kills.value_or(0) > 0 || (engine_speaks && *outside.after->engine_oom_killed);

  if (inside.exited) {
    const auto& reported = inside.exited->verdict;
    if (std::find(kOutcomes.begin(), kOutcomes.end(), reported) != kOutcomes.end()) {
      verdict.outcome = reported;
    }
    const bool sure = inside.exited->confidence.empty() || inside.exited->confidence == "certain";
    if (sure && (kills || engine_speaks)) verdict.confidence = Confidence::certain;
    if (verdict.outcome == "oom_killed") {
      verdict.why = inside.kills.empty() ? "" : words_of(inside.kills.front().scope);
    } else {
      verdict.why = inside.exited->signal.empty()
                        ? fmt::format("exit code {}", inside.exited->exit_code.value_or(0))
                        : inside.exited->signal;
      if (inside.exited->exit_code == 128U + SIGKILL && inside.exited->signal.empty() &&
          !inside.kills.empty()) {
        verdict.why += ", as a shell passes on that its child was killed, which was an OOM kill";
      }
    }
  } else if (outside.status) {
    // The probe is gone without its last word: only the outside is left to tell.
    if (killed_outside && looks_killed(*outside.status)) {
      verdict.outcome = "oom_killed";
    } else if (looks_killed(*outside.status)) {
      verdict.outcome = "killed";
    }
    verdict.why =
        "no workload.exited event; the probe's process " + describe_status(*outside.status);
  } else {
    verdict.why = "no workload.exited event";
  }
  if (outside.timed_out) verdict.why += ", stopped by --timeout";
  if (!outside.signal.empty()) verdict.why += ", stopped by " + outside.signal + " to oomdrill";
  if (const std::string text = counters(inside, outside); !text.empty()) {
    verdict.why += (verdict.why.empty() ? "" : ", ") + text;
  }

  verdict.disagreements = compare(inside, outside, verdict.outcome);
  if (!verdict.disagreements.empty()) verdict.confidence = Confidence::disputed;
  return verdict;
}

}  // namespace oomdrill::run
