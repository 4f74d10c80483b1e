#include "supervise/process_table.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "supervise/process_stat.h"

namespace oomdrill::probe {
namespace {

using Path = std::array<char, 40>;

Path path_of(pid_t pid, const char* file) {
  Path path{};
  fmt::format_to_n(path.data(), path.size() - 1, "{}/{}", pid, file);
  return path;
}

/// True: it became another program since it was looked at, so its command is not known.
bool rename(ProcessFacts& facts, std::string_view name) {
  if (name.empty() || facts.name.view() == ProcessName(name).view()) return false;
  facts.name = ProcessName(name);
  facts.command = {};
  return true;
}

template <std::size_t kSize>
std::string_view read_text(const Fd& fd, std::array<char, kSize>& buffer) {
  if (!fd) return {};
  const auto n = pread_all(fd.get(), buffer);
  // What did not fit is of no interest.
  if (n == -EOVERFLOW) return {buffer.data(), buffer.size()};
  return {buffer.data(), static_cast<std::size_t>(std::max<std::ptrdiff_t>(n, 0))};
}

}  // namespace

ProcessTable::ProcessTable(const FileRoot& root, const std::string& cgroup) : self_(::getpid()) {
  const long page = ::sysconf(_SC_PAGESIZE);
  if (page > 0) page_ = static_cast<std::uint64_t>(page);
  const auto keep = [&root](Fd& fd, const std::string& path, int flags) {
    if (auto opened = open_file(root / path, flags)) fd = std::move(*opened);
  };
  keep(proc_, "/proc", O_PATH | O_DIRECTORY);
  keep(cgroup_, cgroup, O_PATH | O_DIRECTORY);
  keep(loadavg_, "/proc/loadavg", O_RDONLY);
}

Fd ProcessTable::open(const char* path) {
  ++opened_;
  return Fd(::openat(proc_.get(), path, O_RDONLY | O_CLOEXEC));
}

/// The last field: the pid that was given last in this pid namespace.
std::optional<std::uint64_t> ProcessTable::newest_pid() const {
  std::array<char, 128> buffer;
  std::string_view text = read_text(loadavg_, buffer);
  const auto space = text.rfind(' ');
  if (space == std::string_view::npos) return std::nullopt;
  text.remove_prefix(space + 1);
  std::uint64_t pid = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), pid).ec != std::errc{}) {
    return std::nullopt;
  }
  return pid;
}

void ProcessTable::look() {
  if (!proc_ || !cgroup_) return;
  dying_ = false;
  for (std::size_t i = 0; i < size_;) {
    const State state = read(entries_[i]);
    if (state == State::gone || state == State::sigkilled) {
      depart(i, state == State::sigkilled);
    } else {
      dying_ = dying_ || state == State::dying;
      ++i;
    }
  }
  const auto newest = newest_pid();
  if (newest && newest == newest_) return;
  const std::uint64_t seen = list(newest.value_or(0));
  if (newest && newest_) {
    // Fewer than before: they started again from the bottom, and nobody knows how many there were.
    const std::uint64_t born = *newest > *newest_ ? *newest - *newest_ : kMost;
    unseen_births_ += born - std::min(born, seen);
  } else if (!newest) {
    ++unseen_births_;
  }
  newest_ = newest;
}

ProcessTable::State ProcessTable::read(Entry& entry) {
  std::array<char, 1024> buffer;
  const auto stat = parse_process_stat(read_text(entry.stat, buffer));
  if (!stat) return State::gone;
  if (stat->dying) rename(entry.facts, stat->comm);
  if (stat->sigkilled) return State::sigkilled;
  // A zombie's end is hidden from those who may not trace it.
  if (stat->state == 'Z' || stat->state == 'X') return State::gone;
  if (stat->dying) return State::dying;
  entry.facts.rss_bytes = stat->rss_pages * page_;
  entry.facts.vm_bytes = stat->vm_bytes;
  // In the midst of an exec a process has its new name and no command yet, for several looks where
  // the program has to be read from disk; and one that never had a command is not asked for ever.
  constexpr int kMostAsked = 16;
  if (rename(entry.facts, stat->comm)) entry.asked = 0;
  if (entry.facts.command.view().empty() && entry.asked < kMostAsked) {
    ++entry.asked;
    read_command(entry.facts);
  }
  std::array<char, 16> digits;
  const std::string_view text = read_text(entry.score, digits);
  int score = 0;
  entry.facts.oom_score.reset();
  if (std::from_chars(text.data(), text.data() + text.size(), score).ec == std::errc{}) {
    entry.facts.oom_score = score;
  }
  return State::alive;
}

void ProcessTable::read_command(ProcessFacts& facts) {
  const Fd fd = open(path_of(facts.pid, "cmdline").data());
  std::array<char, 120> buffer;
  std::string_view text = read_text(fd, buffer);
  while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  std::replace(buffer.begin(), buffer.end(), '\0', ' ');
  facts.command = ShortText<120>(text);
}

/// Opened for each listing: on v1 a held cgroup.procs shows its first list until nobody has read
/// it for a second (cgroup_pidlist_start of the kernel).
std::uint64_t ProcessTable::list(std::uint64_t newest) {
  ++opened_;
  std::uint64_t added = 0;
  const Fd procs(::openat(cgroup_.get(), "cgroup.procs", O_RDONLY | O_CLOEXEC));
  std::array<char, 8192> buffer;
  std::string_view text = read_text(procs, buffer);
  while (!text.empty()) {
    const auto end = text.find('\n');
    pid_t pid = 0;
    const std::string_view line = text.substr(0, end);
    if (std::from_chars(line.data(), line.data() + line.size(), pid).ec == std::errc{} &&
        pid != self_) {
      // 0 is a process of another pid namespace.
      const bool is_new = pid > 0 && add(pid);
      if (is_new && static_cast<std::uint64_t>(pid) <= newest) ++added;
      if (pid == 0 || size_ == kMost) unlisted_ = true;
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return added;
}

bool ProcessTable::add(pid_t pid) {
  const auto known = [pid](const Entry& entry) { return entry.facts.pid == pid; };
  if (size_ == kMost || std::any_of(entries_.begin(), entries_.begin() + size_, known))
    return false;
  Entry entry;
  entry.facts.pid = pid;
  entry.stat = open(path_of(pid, "stat").data());
  entry.score = open(path_of(pid, "oom_score").data());
  // One that was born dying tells nothing that a kill could be explained by.
  if (!entry.stat || read(entry) != State::alive) return false;
  entries_[size_++] = std::move(entry);
  return true;
}

void ProcessTable::depart(std::size_t index, bool sigkilled) {
  if (departed_size_ < kMostDeparted) {
    departed_[departed_size_++] = {entries_[index].facts, sigkilled};
  }
  --size_;
  if (index != size_) entries_[index] = std::move(entries_[size_]);
  entries_[size_] = Entry{};
}

void ProcessTable::mark_sigkilled(pid_t pid, ProcessName name) {
  for (std::size_t i = 0; i < departed_size_; ++i) {
    if (departed_[i].facts.pid == pid) {
      rename(departed_[i].facts, name.view());
      departed_[i].sigkilled = true;
      return;
    }
  }
  for (std::size_t i = 0; i < size_; ++i) {
    if (entries_[i].facts.pid == pid) {
      rename(entries_[i].facts, name.view());
      depart(i, true);
      return;
    }
  }
  if (departed_size_ == kMostDeparted) return;
  Departed& departed = departed_[departed_size_++];
  departed = {};
  departed.facts.pid = pid;
  departed.facts.name = name;
  departed.sigkilled = true;
}

const ProcessFacts* ProcessTable::find(pid_t pid) const {
  for (const Departed& departed : this->departed()) {
    if (departed.facts.pid == pid) return &departed.facts;
  }
  for (std::size_t i = 0; i < size_; ++i) {
    if (entries_[i].facts.pid == pid) return &entries_[i].facts;
  }
  return nullptr;
}

std::uint64_t ProcessTable::largest_rss() const {
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < size_; ++i) most = std::max(most, entries_[i].facts.rss_bytes);
  return most;
}

}  // namespace oomdrill::probe
