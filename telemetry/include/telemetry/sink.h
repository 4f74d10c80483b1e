#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "telemetry/encoder.h"
#include "telemetry/event.h"

namespace oomdrill::telemetry {

/// Where lines go. A sink never blocks for longer than its caller allows and never changes the
/// flags of a descriptor that it shares.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Writes one whole line, or nothing of it. False: it was dropped.
  virtual bool write(std::span<const char> line) = 0;
};

/// A descriptor that may be shared with a workload: poll(POLLOUT) first, then one write of at
/// most kMaxLine bytes. A regular file never waits; a full pipe is waited for `patience` at most.
class FdSink final : public Sink {
 public:
  /// Does not own `fd`.
  FdSink(int fd, Nanoseconds patience) : fd_(fd), patience_(patience) {}
  bool write(std::span<const char> line) override;

 private:
  int fd_;
  Nanoseconds patience_;
};

/// Opens `path` for appending at once, so that a long run cannot fail at its end; "-" is stdout.
class FileSink final : public Sink {
 public:
  static Result<FileSink> open(const std::string& path);
  bool write(std::span<const char> line) override;

 private:
  explicit FileSink(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

/// Keeps what it is given: for tests.
class MemorySink final : public Sink {
 public:
  bool write(std::span<const char> line) override {
    text_.append(line.data(), line.size());
    return true;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Numbers, encodes and writes events. emit() does not allocate.
class Emitter {
 public:
  Emitter(Encoder encoder, Context context, Sink& sink)
      : encoder_(encoder), context_(std::move(context)), sink_(&sink) {}

  /// False: the line was dropped (dropped() counts it); its seq is spent, so a reader sees the gap.
  bool emit(const Event& event);

  [[nodiscard]] std::uint64_t emitted() const { return emitted_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  [[nodiscard]] const Encoder& encoder() const { return encoder_; }
  [[nodiscard]] const Context& context() const { return context_; }

 private:
  Encoder encoder_;
  Context context_;
  Sink* sink_;
  std::uint64_t seq_ = 0;
  std::uint64_t emitted_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace oomdrill::telemetry
