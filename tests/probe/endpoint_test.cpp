#include "source/endpoint.h"

#include <gtest/gtest.h>

#include <mutex>

#include "ecs_fixtures.h"
#include "fixture_tree.h"
#include "probe_process.h"
#include "report.h"

namespace oomdrill::probe {
namespace {

using fake::has;
using fake::kMiB;
using fake::ProbeProcess;
using test::ecs_fixture;
using test::HttpEndpoint;

constexpr std::uint64_t kHost = 8000 * kMiB;

ecs::MemoryStats memory_of(const std::string& fixture, const std::string& id_end) {
  const auto stats = ecs::parse_stats(ecs_fixture(fixture));
  for (const auto& each : *stats) {
    if (each.docker_id.ends_with(id_end)) return each.memory.value();
  }
  throw std::runtime_error("no such container");
}

/// As the container of `fixture`_container sees it.
std::optional<ecs::Task> task_of(const std::string& fixture) {
  return *ecs::parse_task(ecs_fixture(fixture + "_task"), ecs_fixture(fixture + "_container"));
}

struct Read {
  explicit Read(const ecs::MemoryStats& memory, const std::optional<ecs::Task>& task,
                cgroup::Bytes host = kHost)
      : source(host) {
    source.update(memory, task);
    EXPECT_TRUE(source.fresh());
    EXPECT_TRUE(source.read(reading));
    EXPECT_FALSE(source.fresh());
  }
  [[nodiscard]] std::optional<double> utilization() const {
    return memory_utilization(reading, source.subject().version.value_or(cgroup::Version::v2),
                              std::nullopt);
  }
  EndpointSource source;
  Reading reading;
};

TEST(EndpointSource, HasTheAgentsFormulaOnV1) {
  const Read read(memory_of("ec2_v1_stats", "bb"), task_of("ec2"));
  EXPECT_EQ(read.source.subject().version, cgroup::Version::v1);
  EXPECT_EQ(read.reading.sample.current, 100 * kMiB);
  EXPECT_EQ(read.reading.sample.peak, 110 * kMiB);
  EXPECT_EQ(cgroup::working_set(read.reading.sample), 70 * kMiB) << "usage - total_inactive_file";
  EXPECT_EQ(cgroup::ecs_used(read.reading.sample, cgroup::Version::v1), 60 * kMiB)
      << "usage - cache";
  EXPECT_EQ(read.utilization(), 46.88);
  EXPECT_EQ(read.reading.limit, 128 * kMiB);
  EXPECT_EQ(read.reading.limit_source, cgroup::LimitSource::ecs_container);
  EXPECT_EQ(read.reading.sample.own.max, 7u);
  EXPECT_FALSE(read.reading.sample.deciding().oom_kill);
}

TEST(EndpointSource, HasTheAgentsFormulaOnV2) {
  const Read read(memory_of("ec2_v2_stats", "bb"), task_of("ec2"));
  EXPECT_EQ(read.source.subject().version, cgroup::Version::v2);
  EXPECT_EQ(cgroup::working_set(read.reading.sample), 80 * kMiB);
  EXPECT_EQ(read.utilization(), 62.5) << "usage - inactive_file";
  EXPECT_EQ(read.reading.sample.stat.anon, 60 * kMiB);
  EXPECT_EQ(read.reading.sample.stat.slab, 720'896u);
}

TEST(EndpointSource, TakesTheLeastLimitThatIsOne) {
  const auto memory = memory_of("fargate_stats", "0603");
  const Read container(memory, task_of("fargate"));
  EXPECT_EQ(container.reading.limit, 384 * kMiB);
  EXPECT_EQ(container.source.subject().outer_limit, 512 * kMiB);
  EXPECT_TRUE(container.source.subject().limit.complete);
  auto task = task_of("fargate");
  task->self->memory_limit.reset();
  EXPECT_EQ(Read(memory, task).reading.limit_source, cgroup::LimitSource::ecs_task);

  // Docker's own figure, and what stands for "none": the host's memory, 2^63.
  auto plain = memory_of("ec2_v1_stats", "bb");
  const Read alone(plain, std::nullopt);
  EXPECT_EQ(alone.reading.limit, 128 * kMiB);
  EXPECT_FALSE(alone.source.subject().limit.complete) << "the task's is not known";
  plain.limit = kHost;
  EXPECT_FALSE(Read(plain, std::nullopt).reading.limit);
  EXPECT_FALSE(Read(memory, std::nullopt).reading.limit);
  EXPECT_FALSE(Read(memory, std::nullopt, std::nullopt).reading.limit);
}

TEST(EndpointSource, LeavesOutWhatIsMissing) {
  ecs::MemoryStats bare;
  bare.usage = 5 * kMiB;
  const Read read(bare, std::nullopt);
  EXPECT_EQ(read.reading.sample.current, 5 * kMiB);
  EXPECT_FALSE(cgroup::working_set(read.reading.sample));
  EXPECT_FALSE(cgroup::ecs_used(read.reading.sample, cgroup::Version::v2));
  EXPECT_FALSE(read.source.subject().version || read.reading.limit || read.utilization());
}

/// What the endpoint answers at the moment; a test changes it while the probe asks.
class Stage {
 public:
  using Reply = HttpEndpoint::Reply;

  explicit Stage(const std::string& stats, const std::string& task, Reply container)
      : container_(std::move(container)), endpoint_([this](const std::string& path) {
          const std::lock_guard lock(mutex_);
          ++asked_;
          if (path == "/v4/token/task/stats") return stats_;
          return path == "/v4/token/task" ? task_ : container_;
        }) {
    set_stats(HttpEndpoint::ok(stats));
    set_task(HttpEndpoint::ok(task));
  }
  void set_stats(Reply reply) {
    const std::lock_guard lock(mutex_);
    stats_ = std::move(reply);
  }
  void set_task(Reply reply) {
    const std::lock_guard lock(mutex_);
    task_ = std::move(reply);
  }
  /// Until the probe has asked `more` times from now on.
  [[nodiscard]] bool asked(int more) {
    const auto deadline = std::chrono::steady_clock::now() + fake::kPatience;
    const int end = count() + more;
    while (count() < end) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }
  [[nodiscard]] std::string url() const { return endpoint_.url() + "/v4/token"; }

 private:
  int count() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  std::mutex mutex_;
  int asked_ = 0;
  Reply stats_, task_, container_;
  HttpEndpoint endpoint_;  // last, since it answers from the rest
};

/// The watcher's task of fixtures/ecs/fargate_*, in which we are the watcher.
struct Fargate : Stage {
  Fargate()
      : Stage(ecs_fixture("fargate_stats"), ecs_fixture("fargate_task"),
              HttpEndpoint::ok(R"({"DockerId":"0f5c1d2e3b4a59687786950413223140-1117626119",
                                   "Name":"watcher"})")) {}
};

ProbeProcess watch(const Stage& stage, std::vector<std::string> options = {},
                   const std::string& root = {}) {
  std::vector<std::string> arguments = {
      "watch", "--interval", "20ms", "--format", "json", "--ecs-timeout", "5s", "--source", "ecs"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const std::string url = stage.url();
  return ProbeProcess(
      std::move(arguments), [url] { ::setenv(ecs::kEndpointVariable, url.c_str(), 1); }, root);
}

std::string line_with(const ProbeProcess& probe, std::string_view event, std::string_view part) {
  for (const auto& line : fake::lines_of(probe.out(), event)) {
    if (has(line, part)) return line;
  }
  return "";
}

int stop(ProbeProcess& probe) {
  probe.signal(SIGTERM);
  return probe.wait();
}

constexpr std::string_view kApp = R"("container_name":"app")";

std::string stopped_app(const char* more = R"("ExitCode":137,)") {
  std::string task = ecs_fixture("fargate_task");
  const auto at = task.find(R"("KnownStatus")", task.find(R"("Name": "app")"));
  return task.replace(at, std::string_view(R"("KnownStatus": "RUNNING",)").size(),
                      R"("KnownStatus": "STOPPED",)" + std::string(more));
}

TEST(WatchEndpoint, TellsOfEachOtherContainerOnFargate) {
  Fargate stage;
  auto probe = watch(stage);
  ASSERT_TRUE(probe.wait_for("memory.sample"));
  ASSERT_TRUE(probe.wait_for("memory.threshold"));
  EXPECT_EQ(stop(probe), 0) << probe.err();
  const std::string started = probe.the("probe.started");
  EXPECT_TRUE(has(started, kApp)) << started;
  EXPECT_TRUE(has(started, R"("source":"ecs")")) << started;
  EXPECT_TRUE(has(started, R"("family":"web-leak")")) << started;
  EXPECT_TRUE(has(started, R"("limit_bytes":402653184,"limit_source":"ecs_container")")) << started;
  const std::string sample = line_with(probe, "memory.sample", kApp);
  EXPECT_TRUE(has(sample, R"("used_bytes":314572800)")) << sample;
  EXPECT_TRUE(has(sample, R"("working_set_bytes":310378496)")) << sample;
  EXPECT_TRUE(has(sample, R"("MemoryUtilization":75)")) << sample;
  EXPECT_FALSE(has(sample, "oom_kill")) << "nobody counts them: " << sample;
  const std::string crossed = probe.the("memory.threshold");
  EXPECT_TRUE(has(crossed, R"("threshold_percent":75,"direction":"up")")) << crossed;
  EXPECT_FALSE(has(probe.out(), R"("container_name":"watcher","event":"memory)"));
  EXPECT_EQ(probe.count("probe.warning"), 0u) << probe.out();
  EXPECT_EQ(probe.count("probe.stopped"), 1u);
}

TEST(WatchEndpoint, TellsOfEc2OnBothVersions) {
  for (const char* version : {"v1", "v2"}) {
    // Which of them we are is not said.
    Stage stage(ecs_fixture("ec2_" + std::string(version) + "_stats"), ecs_fixture("ec2_task"),
                HttpEndpoint::status(404));
    auto probe = watch(stage);
    ASSERT_TRUE(probe.wait_for("memory.sample"));
    EXPECT_EQ(stop(probe), 0) << probe.err();
    const std::string started = probe.the("probe.started");
    EXPECT_TRUE(has(started, R"("container_name":"worker")")) << started;
    EXPECT_TRUE(has(started, R"("cgroup_version":")" + std::string(version))) << started;
    const std::string sample = line_with(probe, "memory.sample", "worker");
    EXPECT_TRUE(has(
        sample, version[1] == '1' ? R"("MemoryUtilization":46.88)" : R"("MemoryUtilization":62.5)"))
        << sample;
    EXPECT_FALSE(has(probe.out(), "pause")) << "the agent's own container";
  }
}

TEST(WatchEndpoint, SaysOfAnEndWhatTheTaskSays) {
  Fargate stage;
  auto probe = watch(stage);
  ASSERT_TRUE(probe.wait_for("memory.sample"));
  // Without figures but not stopped: it may come back.
  stage.set_stats(HttpEndpoint::ok(R"({"0f5c1d2e3b4a59687786950413223140-2495160603":null})"));
  ASSERT_TRUE(stage.asked(60));
  EXPECT_EQ(probe.count("container.ended"), 0u) << probe.out();
  stage.set_task(HttpEndpoint::ok(stopped_app()));
  ASSERT_TRUE(probe.wait_for("probe.stopped"));
  const std::string ended = probe.the("container.ended");
  EXPECT_TRUE(has(ended, kApp)) << ended;
  EXPECT_TRUE(has(ended, R"("verdict":"unknown","confidence":"unknown")")) << ended;
  EXPECT_TRUE(has(ended, R"("exit_code":137,"known_status":"STOPPED")")) << ended;
  EXPECT_FALSE(has(ended, R"("pid")")) << ended;
  // Its last figures, still told, are no new life.
  stage.set_stats(HttpEndpoint::ok(ecs_fixture("fargate_stats")));
  ASSERT_TRUE(stage.asked(20));
  EXPECT_EQ(stop(probe), 0);
  EXPECT_EQ(probe.count("probe.started"), 1u);
  EXPECT_EQ(probe.count("container.ended"), 1u);
  EXPECT_EQ(probe.count("probe.warning"), 0u) << probe.out();
}

TEST(WatchEndpoint, TellsNoExitCodeThatItWasNotTold) {
  Fargate stage;
  auto probe = watch(stage);
  ASSERT_TRUE(probe.wait_for("memory.sample"));
  stage.set_stats(HttpEndpoint::ok("{}"));
  stage.set_task(HttpEndpoint::ok(R"({"Containers":[]})"));
  ASSERT_TRUE(probe.wait_for("probe.stopped"));
  const std::string ended = probe.the("container.ended");
  EXPECT_TRUE(has(ended, R"("verdict":"unknown")")) << ended;
  EXPECT_FALSE(has(ended, "exit_code") || has(ended, "known_status")) << ended;
  EXPECT_EQ(stop(probe), 0);
}

TEST(WatchEndpoint, ToleratesMissingFieldsAndEmptyAnswers) {
  Stage stage("{}", "{}", HttpEndpoint::ok("{}"));
  auto probe = watch(stage);
  ASSERT_TRUE(probe.wait_for("tells of no other container"));
  stage.set_stats(HttpEndpoint::ok(
      R"({"a":null,"b":{},"c":{"memory_stats":{}},"d":{"memory_stats":{"usage":4096}}})"));
  ASSERT_TRUE(probe.wait_for("memory.sample"));
  EXPECT_EQ(stop(probe), 0) << probe.err();
  EXPECT_EQ(probe.count("probe.started"), 1u);
  const std::string sample = line_with(probe, "memory.sample", R"("container_id":"d")");
  EXPECT_TRUE(has(sample, R"("used_bytes":4096)")) << sample;
  EXPECT_FALSE(has(sample, "working_set_bytes") || has(sample, "MemoryUtilization")) << sample;
}

/// Good answers, then `bad` ones to all requests, then good ones.
void expect_one_warning(const HttpEndpoint::Reply& bad, const std::string& why,
                        const std::string& timeout = "5s", int more = 5) {
  Fargate stage;
  auto probe = watch(stage, {"--ecs-timeout", timeout});
  ASSERT_TRUE(probe.wait_for("memory.sample"));
  stage.set_stats(bad);
  ASSERT_TRUE(probe.wait_for("probe.warning"));
  ASSERT_TRUE(stage.asked(more));
  const auto samples = probe.count("memory.sample");
  stage.set_stats(HttpEndpoint::ok(ecs_fixture("fargate_stats")));
  ASSERT_TRUE(stage.asked(20));
  EXPECT_EQ(stop(probe), 0) << probe.err();
  EXPECT_GT(probe.count("memory.sample"), samples) << "it goes on";
  EXPECT_TRUE(has(probe.the("probe.warning"), "/task/stats: " + why)) << why;
  EXPECT_EQ(probe.count("container.ended"), 0u) << "silence is no end";
}

TEST(WatchEndpoint, GoesOnAfter404) {
  expect_one_warning(HttpEndpoint::status(404), "answered with status 404");
}

TEST(WatchEndpoint, GoesOnAfterGarbage) {
  expect_one_warning(HttpEndpoint::ok("<html>"), "the answer is no JSON object");
  expect_one_warning(HttpEndpoint::ok("null"), "the answer is no JSON object");
}

TEST(WatchEndpoint, GoesOnAfterSilence) {
  expect_one_warning({{}, {}, true}, "no answer within 800 ms", "800ms", 2);
}

TEST(WatchEndpoint, GoesOnWhereNobodyListens) {
  std::string url;
  {
    const Fargate gone;
    url = gone.url();
  }
  ProbeProcess probe({"watch", "--source", "ecs", "--interval", "10ms", "--format", "json"},
                     [url] { ::setenv(ecs::kEndpointVariable, url.c_str(), 1); });
  ASSERT_TRUE(probe.wait_for("/task/stats: cannot connect"));
  EXPECT_EQ(stop(probe), 0) << probe.err();
  EXPECT_EQ(probe.count("probe.warning"), 2u) << "one of /task, one of /task/stats";
}

TEST(WatchEndpoint, NamesNobodyWhileTheTaskDoesNotAnswer) {
  Fargate stage;
  stage.set_task(HttpEndpoint::status(500));
  auto probe = watch(stage);
  ASSERT_TRUE(probe.wait_for("memory.sample"));
  EXPECT_EQ(stop(probe), 0) << probe.err();
  EXPECT_FALSE(has(probe.out(), "container_name"));
  EXPECT_TRUE(has(probe.out(), R"("container_id":"0f5c1d2e3b4a59687786950413223140-2495160603")"));
  EXPECT_EQ(probe.count("probe.warning") - probe.count("probe.started"), 1u)
      << "that of /task once, and one a container that it has no limit\n"
      << probe.out();
}

TEST(WatchEndpoint, NeedsAnEndpoint) {
  ProbeProcess probe({"watch", "--source", "ecs"}, [] { ::unsetenv(ecs::kEndpointVariable); });
  EXPECT_EQ(probe.wait(), 69);
  EXPECT_TRUE(
      probe.err().starts_with("oomprobe: --source ecs: ECS_CONTAINER_METADATA_URI_V4 is not set"))
      << probe.err();
  EXPECT_EQ(probe.err().find('\n'), probe.err().size() - 1);
}

TEST(WatchEndpoint, IsTakenByItselfWhereThereIsNoCgroup) {
  const test::FixtureTree tree;
  Fargate stage;
  auto probe = watch(stage, {"--source", "auto"}, tree.path());
  ASSERT_TRUE(probe.wait_for(R"("source":"ecs")"));
  EXPECT_EQ(stop(probe), 0) << probe.err();
  auto refused = watch(stage, {"--source", "cgroup"}, tree.path());
  EXPECT_EQ(refused.wait(), 69);
  EXPECT_EQ(refused.out(), "");
}

}  // namespace
}  // namespace oomdrill::probe
