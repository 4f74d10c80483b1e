#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "fake_memory.h"
#include "fixture_tree.h"
#include "run.h"

namespace oomdrill::simulator::test {

/// A file that stands for an output; its text can be read back.
class Output {
 public:
  Output() : fd_(::memfd_create("output", MFD_CLOEXEC)) {
    // Several processes write to it, and a memfd's position is not locked between them.
    EXPECT_EQ(::fcntl(fd_.get(), F_SETFL, O_APPEND), 0);
  }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::string text() const {
    std::string text(1 << 20, '\0');
    const auto size = pread_all(fd_.get(), text);
    EXPECT_GE(size, 0);
    text.resize(static_cast<std::size_t>(std::max<std::ptrdiff_t>(size, 0)));
    return text;
  }

 private:
  Fd fd_;
};

/// A container of cgroup v2 with a limit of 64 MiB on a host of 8 GiB, of which
/// the fake memory moves the usage. Everything happens in virtual time.
class FakeMachine {
 public:
  static constexpr std::uint64_t kLimit = 64 << 20;
  static constexpr std::uint64_t kBase = 1 << 20;

  FakeMachine() {
    tree.file("/proc/self/cgroup", "0::/\n")
        .file("/proc/self/mountinfo",
              "35 30 0:32 / /sys/fs/cgroup ro - cgroup2 cgroup rw,nsdelegate\n")
        .file("/proc/self/statm", "1000 200 100 1 0 100 0\n")
        .file("/proc/meminfo", "MemTotal:        8388608 kB\nMemFree: 1 kB\n")
        .file("/sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n")
        .file("/sys/fs/cgroup/cgroup.events", "populated 1\nfrozen 0\n")
        .file("/sys/fs/cgroup/memory.stat", "anon 1048576\nfile 0\ninactive_file 0\n");
    set_limit(std::to_string(kLimit));
    set_used(kBase);
  }

  void set_limit(const std::string& limit) { tree.file("/sys/fs/cgroup/memory.max", limit + "\n"); }
  void set_used(std::uint64_t bytes) {
    const std::string path = "/sys/fs/cgroup/memory.current";
    if (!used_) {
      tree.file(path, "0\n");
      used_ = Fd(::open((tree.root() / path).c_str(), O_WRONLY | O_CLOEXEC));
    }
    // In place: making the file anew at each of thousands of steps makes ext4 write it out.
    const std::string text = std::to_string(bytes) + "\n";
    const auto size = static_cast<std::ptrdiff_t>(text.size());
    EXPECT_EQ(::pwrite(used_.get(), text.data(), text.size(), 0), size);
    EXPECT_EQ(::ftruncate(used_.get(), size), 0);
  }

  int run(const std::vector<std::string>& arguments) { return run(arguments, stop); }
  int run(const std::vector<std::string>& arguments, const volatile std::sig_atomic_t& signal) {
    current_ = this;
    return simulator::run(arguments, {.root = tree.root(),
                                      .environment =
                                          [this](const char* name) {
                                            const auto it = environment.find(name);
                                            return it == environment.end() ? nullptr
                                                                           : it->second.c_str();
                                          },
                                      .clock = other_clock != nullptr ? other_clock : &clock,
                                      .out = out_fd >= 0 ? out_fd : out.fd(),
                                      .err = err.fd(),
                                      .stop = &signal,
                                      .kinds = kKinds});
  }

  /// Called after each write to the fake memory with all that was written so
  /// far.
  std::function<void(std::uint64_t)> on_write = [this](std::uint64_t bytes) {
    set_used(kBase + bytes);
  };

  /// Called after each change with what is written and not released, where set.
  std::function<void(std::uint64_t)> on_change;

  oomdrill::test::FixtureTree tree;
  ManualClock clock;
  std::map<std::string, std::string> environment;
  Output out;
  Output err;
  Clock* other_clock = nullptr;
  int out_fd = -1;  ///< another output
  volatile std::sig_atomic_t stop = 0;
  std::uint64_t refuse_after = UINT64_MAX;  ///< reservations
  std::uint64_t written = 0;
  std::uint64_t live = 0;

 private:
  static std::unique_ptr<memory::Memory> make(memory::Content, const memory::Settings&) {
    auto memory = std::make_unique<FakeMemory>();
    FakeMachine* machine = current_;
    machine->written = 0;
    machine->live = 0;
    memory->refuse_after(machine->refuse_after);
    memory->on_write([machine](std::uint64_t bytes) {
      machine->written += bytes;
      machine->live += bytes;
      machine->on_write(machine->written);
      if (machine->on_change) machine->on_change(machine->live);
    });
    memory->on_release([machine](std::uint64_t bytes) {
      machine->live -= bytes;
      if (machine->on_change) machine->on_change(machine->live);
    });
    return memory;
  }
  static memory::Kind with_hook(memory::Kind kind) {
    kind.make = make;
    return kind;
  }

  Fd used_;

  // A Kind makes its memory through a plain function.
  static inline FakeMachine* current_ = nullptr;
  static inline const std::array kKinds = {with_hook(FakeMemory::kKind),
                                           with_hook(FakeMemory::kWhole)};
};

}  // namespace oomdrill::simulator::test
