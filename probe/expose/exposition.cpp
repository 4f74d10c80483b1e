#include "expose/exposition.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "report.h"
#include "version.h"

namespace oomdrill::probe {
namespace {

class Writer {
 public:
  explicit Writer(std::span<char> out) : out_(out) {}

  void begin(std::string_view name, std::string_view type, std::string_view help) {
    start_ = size_;
    name_ = name;
    put("# HELP oomprobe_{} {}\n# TYPE oomprobe_{} {}\noomprobe_{}", name, help, name, type, name);
  }
  void label(std::string_view name, std::string_view value) {
    put("{}{}=\"", labelled_ ? ',' : '{', name);
    labelled_ = true;
    for (const char c : value) {
      if (c == '\\' || c == '"') put("\\");
      // The format wants UTF-8; names that ECS and CloudWatch take are ASCII.
      const auto byte = static_cast<unsigned char>(c);
      put("{}", byte < 0x20 || byte > 0x7E ? '_' : c);
    }
    put("\"");
  }
  template <class Number>
  void value(Number number) {
    put("{} {}\n", labelled_ ? "}" : "", number);
    labelled_ = false;
    if (overrun_) size_ = start_;
    overrun_ = false;
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  template <class... Parts>
  void put(fmt::format_string<Parts...> format, Parts&&... parts) {
    const auto left = out_.subspan(size_);
    const auto done =
        fmt::format_to_n(left.data(), left.size(), format, std::forward<Parts>(parts)...);
    overrun_ = overrun_ || done.size > left.size();
    size_ += std::min(done.size, left.size());
  }

  std::span<char> out_;
  std::string_view name_;
  std::size_t size_ = 0;
  std::size_t start_ = 0;
  bool labelled_ = false;
  bool overrun_ = false;
};

double in_seconds(std::uint64_t microseconds) { return static_cast<double>(microseconds) / 1e6; }

}  // namespace

std::size_t write_exposition(const Exposed& state, std::span<char> out) {
  Writer text(out);
  const auto gauge = [&text](std::string_view name, std::string_view help, auto value) {
    if (!value) return;
    text.begin(name, "gauge", help);
    text.value(*value);
  };
  const auto counter = [&text](std::string_view name, std::string_view help, auto value) {
    if (!value) return;
    text.begin(name, "counter", help);
    text.value(*value);
  };
  using Count = cgroup::Count;

  text.begin("build_info", "gauge", "The probe's version.");
  text.label("version", kVersion);
  text.value(1);
  if (state.context != nullptr && !state.context->members.empty()) {
    text.begin("target_info", "gauge", "What is watched, as the ECS metadata endpoint names it.");
    for (const auto& [name, value] : state.context->members) text.label(name, value);
    text.value(1);
  }

  const Reading& reading = *state.reading;
  if (reading.has_sample) {
    const cgroup::Sample& sample = reading.sample;
    gauge("memory_used_bytes", "Memory charged to the cgroup.", Count(sample.current));
    gauge("memory_limit_bytes", "The lowest memory limit that binds.", reading.limit);
    gauge("memory_working_set_bytes", "Used less inactive page cache.",
          cgroup::working_set(sample));
    gauge("memory_peak_bytes", "The most that was ever used.", sample.peak);
    gauge("memory_swap_bytes", "Swap used.", sample.swap);
    gauge("memory_anon_bytes", "Anonymous memory.", sample.stat.anon);
    gauge("memory_file_bytes", "Page cache, shared memory with it.", sample.stat.file);
    gauge("memory_shmem_bytes", "Shared memory and tmpfs.", sample.stat.shmem);
    gauge("memory_kernel_bytes", "Kernel memory.", sample.stat.kernel);
    gauge("memory_reservation_bytes", "The soft limit.", state.reservation);
    if (const auto used = memory_utilization(reading, state.version, state.reservation)) {
      gauge("ecs_memory_utilization_ratio", "What ECS reports as MemoryUtilization, of 1.",
            std::optional(*used / 100));
    }
    counter("oom_kills_total", "OOM kills that the kernel counts in the cgroup.",
            sample.deciding().oom_kill);
    counter("limit_hits_total", "Times that the limit was met; reclaim may have solved them.",
            sample.deciding().max);
    if (const auto& psi = sample.pressure) {
      counter("pressure_some_seconds_total", "Time that some task waited for memory.",
              std::optional(in_seconds(psi->some.total_us)));
      counter("pressure_full_seconds_total", "Time that all tasks waited for memory.",
              std::optional(in_seconds(psi->full.total_us)));
    }
    const auto at = std::chrono::floor<std::chrono::milliseconds>(state.looked_at);
    gauge("last_look_timestamp_seconds", "When these figures were read.",
          std::optional(static_cast<double>(at.time_since_epoch().count()) / 1000));
  }
  counter("oom_kills_told_total", "OOM kills that this probe has told.",
          Count(state.oom_kills_told));
  counter("events_total", "Events written.", Count(state.events));
  counter("events_dropped_total", "Events that could not be written.", Count(state.dropped));
  gauge("process_resident_bytes", "The probe's own resident memory.", state.rss);
  counter("process_cpu_seconds_total", "The probe's own CPU time.", std::optional(state.cpu_s));
  if (!state.verdict.empty()) {
    text.begin("workload_exit_code", "gauge", "Of the workload that has ended, and why it did.");
    text.label("verdict", state.verdict);
    text.value(state.exit_code);
  }
  return text.size();
}

}  // namespace oomdrill::probe
