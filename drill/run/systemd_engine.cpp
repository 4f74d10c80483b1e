#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "cgroup/location.h"
#include "run/cgroup_watch.h"
#include "run/engine.h"
#include "run/process.h"

namespace oomdrill::run {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

std::vector<std::string> scope_command(const std::string& systemd_run, const Wish& wish) {
  const std::string memory = std::to_string(wish.memory_bytes);
  return {systemd_run,           "--user", "--scope",         "--quiet",
          "--collect",           "--unit", wish.name,         "-p",
          "MemoryMax=" + memory, "-p",     "MemorySwapMax=0", "--"};
}

class SystemdRoom final : public Room {
 public:
  SystemdRoom(std::string systemd_run, std::string systemctl, Wish wish)
      : systemd_run_(std::move(systemd_run)),
        systemctl_(std::move(systemctl)),
        wish_(std::move(wish)) {}

  [[nodiscard]] std::vector<std::string> wrap(std::vector<std::string> argv) const override {
    auto words = scope_command(systemd_run_, wish_);
    words.insert(words.end(), argv.begin(), argv.end());
    return words;
  }

  void started(pid_t pid) override { pid_ = pid; }

  /// systemd-run moves itself into the scope and then becomes the command, so the cgroup is that
  /// of the very pid that we started, a moment later.
  Result<Observation> observe() override {
    if (!watch_) {
      const auto location = cgroup::locate(FileRoot(), std::to_string(pid_));
      if (!location) return fail(location.error());
      if (location->kernel_path.find(unit()) == std::string::npos) {
        return fail("has not been entered yet", unit());
      }
      auto watch = CgroupWatch::open(*location);
      if (!watch) return fail(watch.error());
      watch_ = std::make_unique<CgroupWatch>(std::move(*watch));
    }
    // The scope goes with its last process: what was read last is then the last word.
    auto now = watch_->observe();
    if (now) last_ = *now;
    if (!last_) return now;
    return *last_;
  }

  [[nodiscard]] int events_fd() const override { return watch_ ? watch_->events_fd() : -1; }

  void kill_all() override {
    // "not loaded" is the usual answer: the scope has gone already.
    (void)run_to_end({systemctl_, "--user", "--quiet", "kill", "--signal=KILL", unit()}, kPatience);
  }

  Result<void> remove() override {
    (void)run_to_end({systemctl_, "--user", "--quiet", "stop", unit()}, kPatience);
    const auto state = run_to_end({systemctl_, "--user", "is-active", unit()}, kPatience);
    if (state && !state->out.starts_with("active")) return {};
    return fail("is still there", unit(), "remove it with: " + removal());
  }

  [[nodiscard]] std::string where() const override {
    return watch_ ? watch_->location().directory : unit();
  }
  [[nodiscard]] std::string removal() const override { return "systemctl --user stop " + unit(); }

 private:
  [[nodiscard]] std::string unit() const { return wish_.name + ".scope"; }

  std::string systemd_run_;
  std::string systemctl_;
  Wish wish_;
  pid_t pid_ = -1;
  std::unique_ptr<CgroupWatch> watch_;
  std::optional<Observation> last_;
};

}  // namespace

Result<std::unique_ptr<Room>> make_systemd_room(const Wish& wish) {
  auto systemd_run = find_on_path("systemd-run");
  if (!systemd_run) return fail(systemd_run.error());
  auto systemctl = find_on_path("systemctl");
  if (!systemctl) return fail(systemctl.error());
  if (std::getenv("XDG_RUNTIME_DIR") == nullptr) {
    return fail("XDG_RUNTIME_DIR is not set: there is no user session", {},
                "log in as a user, or `loginctl enable-linger` and set it to /run/user/<uid>");
  }
  // A scope whose limit is not set would let a leak take the whole machine, so a trial tells.
  Wish trial = wish;
  trial.name += "-trial";
  auto words = scope_command(*systemd_run, trial);
  for (const char* word :
       {"/bin/sh", "-c", "cat /sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/memory.max"}) {
    words.emplace_back(word);
  }
  const auto tried = run_to_end(words, kPatience);
  if (!tried) return fail(tried.error());
  if (!tried->ok()) return fail(tried->reason(), "systemd-run --user");
  if (tried->out.find_first_not_of("0123456789\n") != std::string::npos || tried->out.empty()) {
    return fail("does not limit memory here", "systemd-run --user",
                "the user's systemd needs cgroup v2 and the memory controller");
  }
  return std::make_unique<SystemdRoom>(*systemd_run, *systemctl, wish);
}

}  // namespace oomdrill::run
