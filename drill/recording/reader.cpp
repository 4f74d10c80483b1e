#include "recording/reader.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "recording/envelope.h"
#include "recording/members.h"
#include "recording/sequence.h"
#include "recording/structure.h"

namespace oomdrill::recording {
namespace {

constexpr std::array<std::string_view, 5> kFamilies = {"probe.", "memory.", "workload.", "leak.",
                                                       "drill."};
/// What log drivers wrap a line in: Docker's json-file and FireLens; Fluent Bit, Vector.
constexpr std::array<std::string_view, 2> kWrappers = {"log", "message"};
/// Of space(): less costs more reads than it saves cache.
constexpr std::size_t kLeastSpace = std::size_t{64} << 10;
constexpr std::size_t kCapacity = std::size_t{256} << 10;

static_assert(Envelope::kPadding >= simdjson::SIMDJSON_PADDING);

bool is_ours(std::string_view event) {
  return std::any_of(kFamilies.begin(), kFamilies.end(),
                     [event](std::string_view family) { return event.starts_with(family); });
}

/// Each of the three programs counts its events for itself.
std::uint64_t writer_of(std::string_view event) {
  if (event.starts_with("leak.")) return 1;
  return event.starts_with("drill.") ? 2 : 0;
}

}  // namespace

class Reader::Body {
 public:
  Body(OnRecord on_record, Order order)
      : on_record_(std::move(on_record)),
        envelope_([this](std::string_view text, std::string_view stream) { message(text, stream); },
                  kLongestLine + 1) {
    if (order == Order::restored) sequence_.emplace();
    make_room(kCapacity);
  }

  Counts counts;
  std::vector<Problem> problems;

  std::span<char> space() {
    if (capacity_ - end_ < kLeastSpace) {
      std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      scanned_ -= begin_;
      begin_ = 0;
      if (capacity_ - end_ < kLeastSpace) make_room(capacity_ * 2);
    }
    return {data_.get() + end_, capacity_ - end_};
  }

  void filled(std::size_t size) {
    end_ += size;
    process(false);
  }

  void finish() {
    process(true);
    if (envelope_.is_open()) {
      end_document();
      broken("the JSON document ends early");
    }
    if (end_ > begin_ || overlong_) end_line(end_);
    begin_ = end_ = scanned_ = indexed_ = 0;
    release();
  }

  void broken(std::string what) {
    ++counts.lines;
    note_broken(counts.lines, std::move(what));
  }

  void add_problem(std::string what) {
    if (problems.size() < kKeptProblems) problems.push_back({counts.lines, std::move(what)});
  }

 private:
  void make_room(std::size_t capacity) {
    auto data = std::make_unique<char[]>(capacity + simdjson::SIMDJSON_PADDING);
    if (end_ > 0) std::memcpy(data.get(), data_.get(), end_);
    data_ = std::move(data);
    capacity_ = capacity;
  }

  [[nodiscard]] std::string_view waiting() const { return {data_.get() + begin_, end_ - begin_}; }

  void process(bool last) {
    indexed_ = begin_;
    while (begin_ < end_) {
      if (envelope_.is_open()) {
        begin_ += envelope_.feed(waiting());
        scanned_ = begin_;
        if (!envelope_.is_open()) end_document();
        continue;
      }
      if (after_document_) {
        const char c = data_[begin_];
        after_document_ = c == ' ' || c == '\r' || c == '\t';
        if (after_document_ || c == '\n') {
          scanned_ = ++begin_;
          continue;
        }
      }
      if (scanned_ == begin_ && !overlong_ && (data_[begin_] == '{' || data_[begin_] == '[')) {
        const auto start =
            waiting().starts_with(kEventStart) ? Envelope::Start::no : Envelope::starts(waiting());
        if (start == Envelope::Start::unsure && !last) return;
        if (start == Envelope::Start::yes) {
          envelope_.open();
          continue;
        }
      }
      const void* newline = std::memchr(data_.get() + scanned_, '\n', end_ - scanned_);
      if (newline == nullptr) {
        scanned_ = end_;
        if (end_ - begin_ > kLongestLine) {
          if (!overlong_) overlong_json_ = looks_like_json(waiting());
          overlong_ = true;
          begin_ = end_ = scanned_ = indexed_ = 0;
        }
        return;
      }
      const auto at = static_cast<std::size_t>(static_cast<const char*>(newline) - data_.get());
      if (at >= indexed_) index_lines();
      end_line(at);
      begin_ = scanned_ = at + 1;
    }
    begin_ = end_ = scanned_ = indexed_ = 0;
  }

  /// Those that wait, at once.
  void index_lines() {
    const void* last = ::memrchr(data_.get() + begin_, '\n', end_ - begin_);
    indexed_ = static_cast<std::size_t>(static_cast<const char*>(last) - data_.get()) + 1;
    // One line's fault: then each is looked at alone.
    are_indexed_ = lines_.index({data_.get() + begin_, indexed_ - begin_}) == simdjson::SUCCESS;
  }

  void end_document() {
    ++counts.documents;
    after_document_ = true;
    if (envelope_.is_broken()) broken("the JSON document is cut here");
    // It was an application's own JSON.
    if (envelope_.messages() == 0 && !envelope_.is_broken()) {
      ++counts.lines;
      ++counts.foreign;
    }
    envelope_.close();
  }

  static bool looks_like_json(std::string_view line) {
    return line.starts_with('{') || line.find(kEventStart) != std::string_view::npos;
  }

  /// The line from begin_ to `at`.
  void end_line(std::size_t at) {
    ++counts.lines;
    std::string_view line(data_.get() + begin_, at - begin_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    // How it began is known where its beginning is gone.
    const bool is_rest = std::exchange(overlong_, false);
    if (is_rest || line.size() > kLongestLine) {
      if (!is_rest) overlong_json_ = looks_like_json(line);
      too_long(std::exchange(overlong_json_, false));
      return;
    }
    take(line, counts.lines, "", true, at < indexed_ && are_indexed_);
  }

  void message(std::string_view text, std::string_view stream) {
    ++counts.lines;
    if (text.size() > kLongestLine) {
      too_long(looks_like_json(text));
    } else {
      take(text, counts.lines, stream, true);
    }
  }

  void too_long(bool json) {
    if (json) {
      note_broken(counts.lines, fmt::format("longer than {} bytes", kLongestLine));
    } else {
      ++counts.foreign;
    }
  }

  void note_broken(std::uint64_t line, std::string what) {
    ++counts.broken;
    if (problems.size() < kKeptProblems) problems.push_back({line, std::move(what)});
  }

  /// Behind `text` there are SIMDJSON_PADDING bytes that may be read; or it is a line that
  /// index_lines() took in.
  void take(std::string_view text, std::uint64_t line, std::string_view stream, bool may_wrap,
            bool is_indexed = false) {
    if (!text.starts_with('{')) {
      is_indexed = false;
      // A workload that printed half a line, or a log's prefix: the event after it is whole.
      auto start = text.find(kEventStart);
      if (start == std::string_view::npos) start = text.find(R"({"_aws":)");
      if (start == std::string_view::npos) {
        ++counts.foreign;
        return;
      }
      text.remove_prefix(start);
    }
    const Members& members = members_;
    if (const auto error = is_indexed ? members_.take(lines_.walk(text)) : parse(text)) {
      note_broken(line, simdjson::error_message(error));
      return;
    }
    if (!members.event() || !is_ours(*members.event())) {
      if (may_wrap && !members.event() && unwrap(members.all(), line)) return;
      ++counts.foreign;
      return;
    }
    const auto time = members.time() ? parse_time(*members.time()) : std::nullopt;
    if (!time) {
      note_broken(line, "an event without a valid time");
      return;
    }
    std::uint64_t identity = members.identity();
    if (!stream.empty() && identity == 0) identity = mix(1, stream);
    const std::uint64_t run = mix(identity, writer_of(*members.event()));
    if (sequence_) {
      const auto stamp = static_cast<std::uint64_t>(time->time_since_epoch().count());
      const std::string_view tail =
          text.substr(text.size() - std::min<std::size_t>(text.size(), 32));
      const Mark mark{.run = run,
                      .seq = members.seq(),
                      .time = *time,
                      .fingerprint = mix(
                          mix(mix(mix(run, members.seq().value_or(0)), stamp), text.size()), tail)};
      switch (sequence_->place(mark)) {
        case Sequence::Place::duplicate:
          ++counts.duplicates;
          return;
        case Sequence::Place::held:
          ++counts.events;
          if (sequence_->hold(mark, line, identity, text)) release();
          return;
        case Sequence::Place::next:
          break;
      }
    }
    ++counts.events;
    on_record_(Record(line, *members.event(), *time, members.all(), members.index(), identity));
  }

  simdjson::error_code parse(std::string_view text) {
    if (const auto error = alone_.index(text)) return error;
    return members_.take(alone_.walk(text));
  }

  /// A line within a log driver's object.
  bool unwrap(std::span<const Member> members, std::uint64_t line) {
    for (const Member& member : members) {
      if (member.parent != Member::kRoot || member.type != Member::Type::text ||
          std::find(kWrappers.begin(), kWrappers.end(), member.key) == kWrappers.end()) {
        continue;
      }
      if (member.text.find(R"("event":)") == std::string_view::npos) continue;
      std::string inner;
      inner.reserve(member.text.size() + simdjson::SIMDJSON_PADDING);
      inner = member.text;
      while (!inner.empty() && (inner.back() == '\n' || inner.back() == '\r')) inner.pop_back();
      take(inner, line, "", false);
      return true;
    }
    return false;
  }

  void release() {
    if (!sequence_) return;
    for (Sequence::Held& held : sequence_->take()) {
      held.text.reserve(held.text.size() + simdjson::SIMDJSON_PADDING);
      // It was valid when it was held.
      if (parse(held.text) != simdjson::SUCCESS) continue;
      on_record_(Record(held.line, *members_.event(), held.mark.time, members_.all(),
                        members_.index(), held.identity));
    }
  }

  OnRecord on_record_;
  Structure lines_;  ///< of those up to indexed_, where are_indexed_
  Structure alone_;  ///< of any other text
  Members members_;
  std::optional<Sequence> sequence_;
  Envelope envelope_;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;    ///< of the line
  std::size_t scanned_ = 0;  ///< without a newline up to here
  std::size_t indexed_ = 0;  ///< of the lines before it, lines_ is made
  std::size_t end_ = 0;
  bool are_indexed_ = false;
  bool overlong_ = false;
  bool overlong_json_ = false;
  bool after_document_ = false;
};

Reader::Reader(OnRecord on_record, Order order)
    : body_(std::make_unique<Body>(std::move(on_record), order)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

void Reader::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> into = space();
    const std::size_t size = std::min(bytes.size(), into.size());
    std::memcpy(into.data(), bytes.data(), size);
    filled(size);
    bytes.remove_prefix(size);
  }
}

std::span<char> Reader::space() { return body_->space(); }
void Reader::filled(std::size_t size) { body_->filled(size); }
void Reader::finish() { body_->finish(); }
void Reader::add_problem(std::string what) { body_->add_problem(std::move(what)); }
const Counts& Reader::counts() const { return body_->counts; }
const std::vector<Problem>& Reader::problems() const { return body_->problems; }

std::string describe(const Problem& problem, const Counts& counts) {
  return fmt::format("{} {}: {}", counts.documents > 0 ? "message" : "line", problem.line,
                     problem.what);
}

}  // namespace oomdrill::recording
