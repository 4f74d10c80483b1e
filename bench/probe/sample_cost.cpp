// What a sample costs beside the bare preads that it consists of: the same files, through held
// descriptors, one after the other. Both are measured in turn, so that a noisy machine disturbs
// both alike, and the least of many rounds counts. In a container or a limited cgroup:
//   build/bench/bench/probe_sample_cost [ROUNDS]
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

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

struct Files {
  std::vector<Fd> held;
  /// Each file to its end, and nothing else.
  void read() const {
    std::array<char, 16384> buffer;
    for (const Fd& fd : held) {
      off_t at = 0;
      for (;;) {
        const auto n = ::pread(fd.get(), buffer.data(), buffer.size(), at);
        if (n <= 0) break;
        at += n;
        // A file of one record is whole; /proc/vmstat comes in pages.
        if (n < 3000) break;
      }
    }
  }
};

Files open_files(const cgroup::Location& location) {
  const std::vector<std::string> v1 = {"memory.usage_in_bytes",      "memory.max_usage_in_bytes",
                                       "memory.limit_in_bytes",      "memory.soft_limit_in_bytes",
                                       "memory.kmem.usage_in_bytes", "memory.stat",
                                       "memory.oom_control",         "memory.failcnt"};
  const std::vector<std::string> v2 = {
      "memory.current", "memory.peak",   "memory.swap.current", "memory.max",     "memory.low",
      "memory.stat",    "memory.events", "memory.events.local", "memory.pressure"};
  Files files;
  const auto add = [&files](const std::string& path) {
    if (auto fd = open_file(path, O_RDONLY)) files.held.push_back(std::move(*fd));
  };
  for (const auto& name : location.version == cgroup::Version::v1 ? v1 : v2) {
    add(location.directory + "/" + name);
  }
  add("/proc/vmstat");
  add("/proc/meminfo");
  add("/proc/loadavg");
  return files;
}

/// Nanoseconds for one call of `what`, averaged over kRepeat.
template <class F>
double once(const Clock& clock, F what) {
  const Nanoseconds start = clock.now();
  for (int i = 0; i < kRepeat; ++i) what();
  return static_cast<double>((clock.now() - start).count()) / kRepeat;
}

}  // namespace

int main(int argc, char** argv) {
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
  const Files files = open_files(*location);
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

  // The whole of what the loop does at a sample: processes, detectors, trend and line with it.
  NullSink sink;
  telemetry::Emitter emitter(json, {}, sink, 1);
  ManualClock virtual_clock;
  probe::Policy policy;
  probe::Monitor monitor(**source, policy, emitter, virtual_clock, std::nullopt);
  probe::ProcessTable processes(FileRoot(), location->directory);
  processes.look();
  const auto others = processes.size();
  monitor.watch_processes(std::move(processes));
  monitor.start({});
  const auto look = [&] {
    virtual_clock.sleep_until(monitor.deadline());
    monitor.tick();
  };

  double bare = std::numeric_limits<double>::max();
  double read = bare, as_json = bare, as_emf = bare, looked = bare;
  for (int i = 0; i < rounds; ++i) {
    bare = std::min(bare, once(clock, [&] { files.read(); }));
    read = std::min(read, once(clock, [&] { (void)(*source)->read(reading); }));
    as_json = std::min(as_json, once(clock, [&] { encode(json); }));
    as_emf = std::min(as_emf, once(clock, [&] { encode(emf); }));
    looked = std::min(looked, once(clock, look));
  }
  fmt::print("cgroup {}, {} files, {} rounds of {}, least of all\n",
             cgroup::name(location->version), files.held.size(), rounds, kRepeat);
  fmt::print("{:28}{:8.2f} us\n", "bare preads", bare / 1e3);
  fmt::print("{:28}{:8.2f} us  {:.2f} x\n", "read and parsed", read / 1e3, read / bare);
  fmt::print("{:28}{:8.2f} us\n", "encoded as json", as_json / 1e3);
  fmt::print("{:28}{:8.2f} us\n", "encoded as emf", as_emf / 1e3);
  fmt::print("{:28}{:8.2f} us  {:.2f} x\n", "a sample, json", (read + as_json) / 1e3,
             (read + as_json) / bare);
  fmt::print("{:28}{:8.2f} us  {:.2f} x\n", "a sample, emf", (read + as_emf) / 1e3,
             (read + as_emf) / bare);
  fmt::print("{:28}{:8.2f} us  {:.2f} x  (2 more preads for each of {} other processes)\n",
             "a look of the loop", looked / 1e3, looked / bare, others);
  return written > 0 ? 0 : 70;
}
