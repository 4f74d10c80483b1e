#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "recording/record.h"

namespace oomdrill::recording {

/// A line that looked like one of ours and is not whole.
struct Problem {
  std::uint64_t line;
  std::string what;
};

struct Counts {
  std::uint64_t lines = 0;
  std::uint64_t events = 0;
  std::uint64_t foreign = 0;  ///< the workload's own output
  std::uint64_t broken = 0;   ///< began as JSON and is none, or is an event without a valid time
};

/// Reads lines as they come, in pieces of any size, in constant memory: a drill's live output and
/// a recording on disk go through the same code.
class Reader {
 public:
  using OnRecord = std::function<void(const Record&)>;
  /// Longer lines are skipped. Ours are at most 4096 bytes; CloudWatch's events 1 MiB.
  static constexpr std::size_t kLongestLine = std::size_t{1} << 20;
  /// Problems that are kept; the rest are only counted.
  static constexpr std::size_t kKeptProblems = 8;

  explicit Reader(OnRecord on_record);
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader();

  void feed(std::string_view bytes);
  /// The end of the input: a last line without a newline counts.
  void finish();

  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }

 private:
  struct Parser;
  void end_line();
  void broken(std::string what);

  OnRecord on_record_;
  std::unique_ptr<Parser> parser_;
  std::string line_;  ///< what has come of the current line, at most kLongestLine
  bool overlong_ = false;
  Counts counts_;
  std::vector<Problem> problems_;
};

/// The whole file; "-" is stdin. Error: it cannot be opened or read.
Result<void> read_file(const std::string& path, Reader& reader);

using oomdrill::parse_time;

}  // namespace oomdrill::recording
