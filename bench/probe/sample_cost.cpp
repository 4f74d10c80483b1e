// What a sample costs beside the bare preads that it consists of: the same files, through held
// descriptors, one after the other. All is measured in turn, so that a noisy machine disturbs all
// alike. Run by bench/probe/run in a limited cgroup:
//   probe_sample_cost ROUNDS   prints "what<TAB>microseconds…", a value a round; and counts, as
//                              "=what<TAB>number"
//   probe_sample_cost at-rest  the bare preads once a second, without end
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "allocation_counter.h"
#include "base/clock.h"
#include "cgroup/location.h"
#include "monitor.h"
#include "report.h"
#include "source/source.h"
#include "telemetry/encoder.h"

namespace {

using namespace oomdrill;

constexpr int kRepeat = 200;

class NullSink final : public telemetry::Sink {
 public:
  bool write(std::span<const char>) override { return true; }
};

struct File {
  std::string name;
  Fd fd;
  /// To its end, and nothing else.
  void read() const {
    std::array<char, 16384> buffer;
    off_t at = 0;
    for (;;) {
      const auto n = ::pread(fd.get(), buffer.data(), buffer.size(), at);
      if (n <= 0) break;
      at += n;
      // A file of one record is whole; /proc/vmstat comes in pages.
      if (n < 3000) break;
    }
  }
};

std::vector<File> open_files(const cgroup::Location& location) {
  const std::vector<std::string> v1 = {"memory.usage_in_bytes",      "memory.max_usage_in_bytes",
                                       "memory.limit_in_bytes",      "memory.soft_limit_in_bytes",
                                       "memory.kmem.usage_in_bytes", "memory.stat",
                                       "memory.oom_control",         "memory.failcnt"};
  const std::vector<std::string> v2 = {
      "memory.current", "memory.peak",   "memory.swap.current", "memory.max",     "memory.low",
      "memory.stat",    "memory.events", "memory.events.local", "memory.pressure"};
  std::vector<File> files;
  const auto add = [&files](const std::string& folder, const std::string& name) {
    if (auto fd = open_file(folder + "/" + name, O_RDONLY)) files.push_back({name, std::move(*fd)});
  };
  for (const auto& name : location.version == cgroup::Version::v1 ? v1 : v2) {
    add(location.directory, name);
  }
  for (const char* name : {"vmstat", "meminfo", "loadavg"}) add("/proc", name);
  return files;
}

struct Case {
  std::string name;
  std::function<void()> once;
  std::vector<double> us = {};  ///< of one call, a value a round

  void measure(const Clock& clock) {
    const Nanoseconds start = clock.now();
    for (int i = 0; i < kRepeat; ++i) once();
    us.push_back(static_cast<double>((clock.now() - start).count()) / 1e3 / kRepeat);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 50;
  const SystemClock clock;
  const auto location = cgroup::locate(FileRoot());
  if (!location) {
    fmt::print(stderr, "probe_sample_cost: {}\n", location.error().line());
    return 69;
  }
  auto source = probe::open_cgroup(FileRoot(), *location, {});
  if (!source) {
    fmt::print(stderr, "probe_sample_cost: {}\n", source.error().line());
    return 69;
  }
  const std::vector<File> files = open_files(*location);
  if (mode == "at-rest") {
    for (;;) {
      for (const File& file : files) file.read();
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
  }
  probe::Reading reading;
  const auto json = *telemetry::choose_encoder("json", false, false);
  const auto emf = *telemetry::choose_encoder("emf", false, true);
  const telemetry::Context context;
  std::array<char, telemetry::kMaxLine> line;
  std::size_t written = 0;
  const auto encode = [&](const telemetry::Encoder& encoder) {
    telemetry::Event event("memory.sample", clock.wall());
    probe::add_sample(event, reading, location->version, std::nullopt);
    written += encoder.encode(event, 1, context, line);
  };

  // The whole of what the loop does at a sample: detectors, trend and line with it.
  NullSink sink;
  struct Loop {
    telemetry::Emitter emitter;
    ManualClock clock;
    probe::Policy policy;
    probe::Monitor monitor;
    Loop(const telemetry::Encoder& encoder, telemetry::Sink& to, probe::Source& of)
        : emitter(encoder, {}, to, 1), monitor(of, policy, emitter, clock, std::nullopt) {}
    void look() {
      clock.sleep_until(monitor.deadline());
      monitor.tick();
    }
  };
  Loop bare_loop(json, sink, **source), loop(json, sink, **source);
  probe::ProcessTable processes(FileRoot(), location->directory);
  processes.look();
  const auto others = processes.size();
  loop.monitor.watch_processes(std::move(processes));
  for (Loop* each : {&bare_loop, &loop}) each->monitor.start({});

  std::vector<Case> cases;
  for (const File& file : files) cases.push_back({"pread " + file.name, [&file] { file.read(); }});
  cases.push_back({"bare preads", [&] {
                     for (const File& file : files) file.read();
                   }});
  cases.push_back({"read and parsed", [&] { (void)(*source)->read(reading); }});
  cases.push_back({"encoded as json", [&] { encode(json); }});
  cases.push_back({"encoded as emf", [&] { encode(emf); }});
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return 70;
  const Fd in(ends[1]), out(ends[0]);
  cases.push_back({"written to a pipe", [&] {
                     std::array<char, telemetry::kMaxLine> away;
                     if (::write(in.get(), line.data(), 1000) != 1000 ||
                         ::read(out.get(), away.data(), away.size()) != 1000) {
                       std::abort();
                     }
                   }});
  cases.push_back({"a look", [&] { bare_loop.look(); }});
  cases.push_back({"a look with the process table", [&] { loop.look(); }});
  for (Case& each : cases) each.us.reserve(static_cast<std::size_t>(rounds));

  for (Case& each : cases) each.once();
  const auto allocated = test::allocations();
  for (int i = 0; i < rounds; ++i) {
    for (Case& each : cases) each.measure(clock);
  }
  const auto since = test::allocations() - allocated;

  for (const Case& each : cases) fmt::print("{}\t{:.3f}\n", each.name, fmt::join(each.us, " "));
  fmt::print("=files\t{}\n=processes\t{}\n=allocations\t{}\n", files.size(), others, since);
  return written > 0 ? 0 : 70;
}
