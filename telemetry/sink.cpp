#include "telemetry/sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/clock.h"

namespace oomdrill::telemetry {
namespace {

/// Within `deadline`; true also where a write would fail at once, which then tells why.
bool wait_writable(int fd, Nanoseconds deadline, const Clock& clock) {
  for (;;) {
    const Nanoseconds left = std::max(deadline - clock.now(), Nanoseconds::zero());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    const timespec timeout{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
    pollfd entry{.fd = fd, .events = POLLOUT, .revents = 0};
    const int ready = ::ppoll(&entry, 1, &timeout, nullptr);
    if (ready >= 0) return ready > 0;
    if (errno != EINTR) return false;
  }
}

/// A pipe's own non-blocking description; invalid for anything else and where it is not allowed
/// (a pipe that another user made).
Fd open_own(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISFIFO(status.st_mode)) return {};
  auto own = open_file("/proc/self/fd/" + std::to_string(fd), O_WRONLY | O_NONBLOCK);
  return own ? std::move(*own) : Fd{};
}

}  // namespace

FdSink::FdSink(int fd, Nanoseconds patience) : fd_(fd), patience_(patience), own_(open_own(fd)) {}

bool FdSink::write(std::span<const char> line) {
  const SystemClock clock;
  const Nanoseconds deadline = clock.now() + patience_;
  const int fd = own_ ? own_.get() : fd_;
  char newline = '\n';
  const std::size_t before = torn_ ? 1 : 0;
  std::size_t written = 0;
  while (written < before + line.size()) {
    if (!wait_writable(fd, deadline, clock)) {
      error_ = ETIMEDOUT;
      break;
    }
    const std::size_t of_line = written > before ? written - before : 0;
    // writev() reads only; its type is shared with readv().
    const std::array parts = {
        iovec{&newline, written < before ? std::size_t{1} : std::size_t{0}},
        iovec{const_cast<char*>(line.data()) + of_line, line.size() - of_line}};
    const auto n = ::writev(fd, parts.data(), static_cast<int>(parts.size()));
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) {
      error_ = errno;
      break;
    }
    written += static_cast<std::size_t>(n);
  }
  if (written > 0) torn_ = written < before + line.size();
  return written == before + line.size();
}

Result<FileSink> FileSink::open(const std::string& path, Nanoseconds patience) {
  if (path == "-") {
    const int fd = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return fail_errno("cannot use", "stdout");
    return FileSink(Fd(fd), patience);
  }
  // Non-blocking: a named pipe without a reader is an error now instead of a wait for ever.
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC;
  const int fd = ::open(path.c_str(), flags, 0644);
  if (fd < 0) {
    return fail_errno("cannot open for writing", path, "name a file in a folder that is writable");
  }
  return FileSink(Fd(fd), patience);
}

Emitter::Emitter(Encoder encoder, Context context, Sink& sink, std::size_t keep,
                 std::uint64_t* numbers)
    : encoder_(encoder),
      context_(std::move(context)),
      sink_(&sink),
      numbers_(numbers),
      slots_(keep * kMaxLine),
      sizes_(keep),
      weights_(keep) {}

bool Emitter::emit(const Event& event, Weight weight) {
  std::array<char, kMaxLine> line;
  const std::size_t size =
      encoder_.encode(event, ++(numbers_ != nullptr ? *numbers_ : seq_), context_, line);
  const std::span<const char> text(line.data(), size);
  // Held lines are older: written after this one, they would break the order of seq.
  if (flush() && sink_->write(text)) {
    ++emitted_;
    return true;
  }
  if (weight != Weight::ordinary && !sizes_.empty()) {
    hold(text, weight);
  } else {
    ++dropped_;
  }
  return false;
}

bool Emitter::flush() {
  while (held_ > 0) {
    if (!sink_->write(std::span(slots_).subspan(first_ * kMaxLine, sizes_[first_]))) return false;
    ++emitted_;
    first_ = (first_ + 1) % sizes_.size();
    --held_;
  }
  return true;
}

std::size_t Emitter::room() const {
  std::size_t verdicts = 0;
  for (std::size_t i = 0; i < held_; ++i) {
    if (weights_[(first_ + i) % sizes_.size()] == Weight::verdict) ++verdicts;
  }
  return sizes_.size() - verdicts;
}

void Emitter::hold(std::span<const char> line, Weight weight) {
  const auto drop_first = [this] {
    first_ = (first_ + 1) % sizes_.size();
    --held_;
    ++dropped_;
  };
  // Verdicts stand first in the ring, since each one that comes clears what is before it.
  if (weight == Weight::verdict) {
    while (held_ > 0 && weights_[(first_ + held_ - 1) % sizes_.size()] != Weight::verdict) {
      --held_;
      ++dropped_;
    }
  } else if (held_ == sizes_.size() && room() == 0) {
    ++dropped_;
    return;
  }
  if (held_ == sizes_.size()) {
    if (weight == Weight::verdict) {
      drop_first();
    } else {
      // The oldest of the important lines behind the verdicts gives way.
      std::size_t at = sizes_.size() - room();
      for (; at + 1 < held_; ++at) {
        const std::size_t to = (first_ + at) % sizes_.size();
        const std::size_t from = (to + 1) % sizes_.size();
        std::copy_n(slots_.begin() + static_cast<std::ptrdiff_t>(from * kMaxLine), sizes_[from],
                    slots_.begin() + static_cast<std::ptrdiff_t>(to * kMaxLine));
        sizes_[to] = sizes_[from];
        weights_[to] = weights_[from];
      }
      --held_;
      ++dropped_;
    }
  }
  const std::size_t slot = (first_ + held_) % sizes_.size();
  std::copy(line.begin(), line.end(),
            slots_.begin() + static_cast<std::ptrdiff_t>(slot * kMaxLine));
  sizes_[slot] = line.size();
  weights_[slot] = weight;
  ++held_;
}

}  // namespace oomdrill::telemetry
