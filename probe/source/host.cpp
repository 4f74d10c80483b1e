#include "source/host.h"

#include <fcntl.h>

#include <array>
#include <charconv>
#include <utility>

#include "source/source.h"

namespace oomdrill::probe {
namespace {

class HostSource final : public Source {
 public:
  explicit HostSource(const FileRoot& root) : host_(root) {
    subject_.counters_trusted = !is_gvisor(root);
  }
  Result<void> read(Reading& reading) override { return read_counters(reading); }
  Result<void> read_counters(Reading& reading) override {
    reading.has_sample = false;
    host_.read(reading);
    return {};
  }
  [[nodiscard]] int events_fd() const override { return -1; }
  [[nodiscard]] const Subject& subject() const override { return subject_; }

 private:
  Host host_;
  Subject subject_;
};

}  // namespace

cgroup::Bytes find_mem_available(std::string_view meminfo) {
  constexpr std::string_view kKey = "MemAvailable:";
  const auto at = meminfo.find(kKey);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = meminfo.substr(at + kKey.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  std::uint64_t kib = 0;
  const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), kib);
  if (status != std::errc{}) return std::nullopt;
  return kib * 1024;
}

Host::Host(const FileRoot& root) {
  if (auto counter = cgroup::HostOomCounter::open(root)) oom_ = std::move(*counter);
  if (auto meminfo = open_file(root / "/proc/meminfo", O_RDONLY)) meminfo_ = std::move(*meminfo);
}

void Host::read_kills(Reading& reading) const {
  reading.host_oom_kills = oom_ ? oom_->read() : std::nullopt;
}

void Host::read(Reading& reading) const {
  read_kills(reading);
  reading.host_available.reset();
  if (!meminfo_) return;
  std::array<char, 4096> text;
  const auto size = pread_all(meminfo_.get(), text);
  if (size <= 0) return;
  reading.host_available =
      find_mem_available(std::string_view(text.data(), static_cast<std::size_t>(size)));
}

std::unique_ptr<Source> open_host(const FileRoot& root) {
  return std::make_unique<HostSource>(root);
}

bool is_gvisor(const FileRoot& root) {
  const auto version = read_file(root / "/proc/version");
  // Releases before 2025 call themselves 4.4.0, with this date; later ones say gvisor.
  return version && (version->find("gvisor") != std::string::npos ||
                     version->find("Sun Jan 10 15:06:54 PST 2016") != std::string::npos);
}

}  // namespace oomdrill::probe
