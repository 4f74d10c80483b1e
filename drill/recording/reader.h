#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "recording/record.h"

namespace oomdrill::recording {

/// A line that looked like one of ours and is not whole.
struct Problem {
  std::uint64_t line;
  std::string what;
};

struct Counts {
  std::uint64_t lines = 0;  ///< messages, within a JSON document of log events
  std::uint64_t events = 0;
  std::uint64_t foreign = 0;     ///< the workload's own output
  std::uint64_t broken = 0;      ///< began as JSON and is none, or is an event without a valid time
  std::uint64_t duplicates = 0;  ///< delivered before
  std::uint64_t documents = 0;   ///< of `aws logs`
};

/// Reads lines as they come, in pieces of any size, in constant memory: a drill's live output and
/// a recording on disk go through the same code. A line may be an event as our programs write it
/// (JSON or EMF), the same behind a prefix (`docker logs -t`, `aws logs tail`), or wrapped by a log
/// driver ({"log":"…"}); or part of a JSON document that `aws logs` answers.
class Reader {
 public:
  using OnRecord = std::function<void(const Record&)>;
  /// Of a recording that went through logs: without duplicates, and in order as far as Sequence
  /// can tell. Not for live output, which waits for nothing.
  enum class Order { as_it_comes, restored };
  /// Longer lines are skipped. Ours are at most 4096 bytes; CloudWatch's events 1 MiB.
  static constexpr std::size_t kLongestLine = std::size_t{1} << 20;
  /// Problems that are kept; the rest are only counted.
  static constexpr std::size_t kKeptProblems = 8;

  explicit Reader(OnRecord on_record, Order order = Order::as_it_comes);
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader();

  void feed(std::string_view bytes);
  /// feed() without a copy: where the next bytes go, never empty; and how many came.
  std::span<char> space();
  void filled(std::size_t size);
  /// The end of the input: a last line without a newline counts.
  void finish();

  /// Of the input as a whole, at the line that was read last.
  void add_problem(std::string what);

  [[nodiscard]] const Counts& counts() const;
  [[nodiscard]] const std::vector<Problem>& problems() const;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

/// The whole file, gunzipped where it is gzip; "-" is stdin. Error: it cannot be opened or read.
/// gzip that is cut or damaged is read up to there, and a problem of the reader's.
Result<void> read_file(const std::string& path, Reader& reader);

/// "line 7: …", or "message 7: …" of a document.
std::string describe(const Problem& problem, const Counts& counts);

using oomdrill::parse_time;

}  // namespace oomdrill::recording
