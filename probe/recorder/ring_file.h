#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "telemetry/sink.h"

namespace oomdrill::probe {

/// What a run left behind, for the next one to tell; kept beside the lines, so that telling it
/// parses nothing.
struct RunState {
  std::uint64_t number = 0;  ///< of the update; 0: none yet
  std::int64_t started_ms = 0;
  std::int64_t seen_ms = 0;  ///< wall time of the last look
  std::uint64_t used_bytes = 0;
  std::uint64_t limit_bytes = 0;   ///< 0: none
  std::uint64_t oom_kills = 0;     ///< told in this run
  std::uint32_t stopped = 0;       ///< 1: the probe said goodbye
  std::array<char, 20> verdict{};  ///< of the workload; empty: it was not seen to end
  std::array<char, 64> command{};
};

/// A flight recorder: a file of fixed size that is mapped and preallocated, so that a line is a
/// copy into memory that outlives every process of the container (not the machine). The newest
/// lines take the place of the oldest.
///
/// Layout, in the byte order of the machine: a page of header (magic, geometry, two copies of
/// RunState that are written in turn), then slots of 512 bytes. A line takes as many slots in a
/// row as it needs. A slot that was being written when everything died fails its checksum.
class RingFile final : public telemetry::Sink {
 public:
  static constexpr std::size_t kSlot = 512;
  static constexpr std::size_t kHeader = 4096;
  static constexpr std::uint64_t kLeastSize = std::uint64_t{64} << 10;
  static constexpr std::uint64_t kMostSize = std::uint64_t{1} << 30;

  /// Opens it or makes one of about `bytes`; an existing one keeps its size. Error: it cannot be
  /// made, is another kind of file, or is in use by another probe.
  static Result<RingFile> open(const std::string& path, std::uint64_t bytes);
  RingFile(RingFile&& other) noexcept;
  RingFile& operator=(RingFile&&) = delete;
  ~RingFile() override;

  bool write(std::span<const char> line) override;
  /// `state.number` is this class's.
  void update(RunState state);
  /// As it was when the file was opened.
  [[nodiscard]] const std::optional<RunState>& previous() const { return previous_; }

 private:
  RingFile(Fd fd, std::span<char> map);
  Fd fd_;
  std::span<char> map_;
  std::uint64_t next_ = 1;
  std::uint64_t updates_ = 0;
  std::optional<RunState> previous_;
};

/// The whole lines that stand in the bytes of such a file, oldest first. Pure. Error: it is none.
Result<std::vector<std::string>> read_ring(std::span<const char> bytes, std::string_view where);

}  // namespace oomdrill::probe
