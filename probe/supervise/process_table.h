#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "supervise/process_name.h"

namespace oomdrill::probe {

/// A process at the last look at which it was alive.
struct ProcessFacts {
  pid_t pid = 0;
  ProcessName name;
  ShortText<120> command;  ///< its arguments, joined by spaces; empty: /proc does not say
  std::uint64_t rss_bytes = 0;
  std::uint64_t vm_bytes = 0;
  std::optional<int> oom_score;  ///< what the kernel's OOM killer ranks by
};

struct Departed {
  ProcessFacts facts;
  bool sigkilled = false;  ///< a SIGKILL was seen on it; false: it is gone, who knows why
};

/// The processes of a cgroup, by their held /proc files: who was there, and who is not any more.
/// A process's files are opened when it is first seen and closed when it is gone; between births a
/// look opens nothing and lists nothing, since /proc/loadavg tells the newest pid. A held file
/// answers ESRCH once its process is gone, so a pid that is used again is no danger.
class ProcessTable {
 public:
  static constexpr std::size_t kMost = 64;
  static constexpr std::size_t kMostDeparted = 16;

  /// Sees nobody; mark_sigkilled() works.
  ProcessTable() = default;
  /// `cgroup`: the folder below `root`. The own process is left out.
  ProcessTable(const FileRoot& root, const std::string& cgroup);

  void look();
  /// A SIGKILL was seen on `pid` by the one who waited for it, and reaped it.
  void mark_sigkilled(pid_t pid, ProcessName name);
  void forget_departed() {
    departed_size_ = 0;
    unseen_births_ = 0;
  }

  [[nodiscard]] std::span<const Departed> departed() const {
    return {departed_.data(), departed_size_};
  }
  /// Among the living and the departed; nullptr: it was never seen.
  [[nodiscard]] const ProcessFacts* find(pid_t pid) const;
  /// Of the living; 0 where there is none.
  [[nodiscard]] std::uint64_t largest_rss() const;
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Whoever was here since forget_departed() is among the living and the departed, and none of the
  /// living is about to go: pids are given in a row, threads' too, so none was born and gone
  /// unseen.
  [[nodiscard]] bool complete() const { return unseen_births_ == 0 && !dying_ && !unlisted_; }
  /// Files opened so far, those of the constructor left out.
  [[nodiscard]] std::uint64_t opened() const { return opened_; }

 private:
  struct Entry {
    ProcessFacts facts;
    Fd stat, score;
    int asked = 0;  ///< for the command, of the program that it runs now
  };
  enum class State { alive, dying, sigkilled, gone };

  State read(Entry& entry);
  void read_command(ProcessFacts& facts);
  /// How many were added that are no newer than pid `newest`.
  std::uint64_t list(std::uint64_t newest);
  [[nodiscard]] bool add(pid_t pid);
  void depart(std::size_t index, bool sigkilled);
  Fd open(const char* path);
  [[nodiscard]] std::optional<std::uint64_t> newest_pid() const;

  Fd proc_, cgroup_, loadavg_;
  pid_t self_ = 0;
  std::uint64_t page_ = 4096;
  std::optional<std::uint64_t> newest_;
  std::array<Entry, kMost> entries_;
  std::size_t size_ = 0;
  std::array<Departed, kMostDeparted> departed_;
  std::size_t departed_size_ = 0;
  std::uint64_t unseen_births_ = 0;
  bool dying_ = false;
  bool unlisted_ = false;  ///< some process of the cgroup could not be held
  std::uint64_t opened_ = 0;
};

}  // namespace oomdrill::probe
