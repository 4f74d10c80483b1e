#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
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
  /// Why the last line that was dropped was: an errno, ETIMEDOUT where nobody reads; 0: none was.
  [[nodiscard]] virtual int last_error() const { return 0; }
};

/// A descriptor that may be shared with a workload: poll(POLLOUT) first, then one write of at
/// most kMaxLine bytes. A regular file never waits; a full pipe is waited for `patience` at most.
/// SIGPIPE is the program's to ignore: a reader that is gone is then a dropped line.
class FdSink final : public Sink {
 public:
  /// Does not own `fd`. Of a pipe it opens a description of its own where it may, so that a
  /// workload that fills the pipe between poll and write cannot make the write block.
  FdSink(int fd, Nanoseconds patience);
  bool write(std::span<const char> line) override;
  [[nodiscard]] int last_error() const override { return error_; }

 private:
  int fd_;
  int error_ = 0;
  Nanoseconds patience_;
  Fd own_;
  bool torn_ = false;  ///< a file took part of the last line: the next one begins a new line
};

/// Opens `path` for appending at once, so that a long run cannot fail at its end; "-" is stdout.
class FileSink final : public Sink {
 public:
  static Result<FileSink> open(const std::string& path,
                               Nanoseconds patience = std::chrono::seconds(1));
  bool write(std::span<const char> line) override { return sink_.write(line); }
  [[nodiscard]] int last_error() const override { return sink_.last_error(); }

 private:
  FileSink(Fd fd, Nanoseconds patience) : fd_(std::move(fd)), sink_(fd_.get(), patience) {}
  Fd fd_;
  FdSink sink_;
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

/// Numbers (from 1), encodes and writes events. Nothing allocates but the constructor.
class Emitter {
 public:
  /// `keep`: how many important lines are held while the sink takes none; kMaxLine bytes each.
  /// `numbers`: the last number given, where several emitters write one stream; null: its own.
  Emitter(Encoder encoder, Context context, Sink& sink, std::size_t keep = 8,
          std::uint64_t* numbers = nullptr);

  /// False: the line was dropped (dropped() counts it); its seq is spent, so a reader sees the gap.
  bool emit(const Event& event) { return emit(event, Weight::ordinary); }
  /// For what must not be lost to a reader that pauses, such as a verdict. A line that the sink
  /// does not take is held and goes first as soon as it does; when `keep` lines are held
  /// already, the oldest is dropped. False: not written yet.
  bool emit_important(const Event& event) { return emit(event, Weight::important); }
  /// For a verdict: as emit_important(), but held lines of less weight make room for it, so that
  /// it is the first that a reader gets when it reads again.
  bool emit_verdict(const Event& event) { return emit(event, Weight::verdict); }
  /// How many verdicts can still be held. 0: the next one would push out an older one.
  [[nodiscard]] std::size_t room() const;
  /// Offers the held lines to the sink once more. True: none is left.
  bool flush();

  [[nodiscard]] std::uint64_t emitted() const { return emitted_; }  ///< lines written
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  [[nodiscard]] std::size_t held() const { return held_; }
  [[nodiscard]] const Encoder& encoder() const { return encoder_; }
  [[nodiscard]] const Context& context() const { return context_; }

 private:
  enum class Weight : unsigned char { ordinary, important, verdict };
  bool emit(const Event& event, Weight weight);
  void hold(std::span<const char> line, Weight weight);

  Encoder encoder_;
  Context context_;
  Sink* sink_;
  std::uint64_t seq_ = 0;
  std::uint64_t* numbers_;
  std::uint64_t emitted_ = 0;
  std::uint64_t dropped_ = 0;
  // A ring of fixed slots: first_ is the oldest of the held_ lines.
  std::vector<char> slots_;
  std::vector<std::size_t> sizes_;
  std::vector<Weight> weights_;
  std::size_t first_ = 0;
  std::size_t held_ = 0;
};

}  // namespace oomdrill::telemetry
