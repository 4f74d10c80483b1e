#include "recording/reader.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

#include "recording/envelope.h"
#include "recording/sequence.h"

namespace oomdrill::recording {
namespace {

constexpr std::array<std::string_view, 5> kFamilies = {"probe.", "memory.", "workload.", "leak.",
                                                       "drill."};
/// How our encoders begin a line.
constexpr std::string_view kEventStart = R"({"event":")";
/// What log drivers wrap a line in: Docker's json-file and FireLens; Fluent Bit, Vector.
constexpr std::array<std::string_view, 2> kWrappers = {"log", "message"};
/// Of space(): less costs more reads than it saves cache.
constexpr std::size_t kLeastSpace = std::size_t{64} << 10;
constexpr std::size_t kCapacity = std::size_t{256} << 10;
/// Objects within objects beyond are not looked into.
constexpr int kDeepest = 4;

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

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15U;
  return hash ^ (hash >> 29U);
}

std::uint64_t mix(std::uint64_t hash, std::string_view text) {
  return mix(hash, std::hash<std::string_view>()(text));
}

/// Eight bytes as a number; behind every text there is padding.
std::uint64_t load8(const char* at) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// How many of the eight bytes of load8() come before the first that `marks` has a high bit at.
std::size_t bytes_before(std::uint64_t marks) {
  return static_cast<std::size_t>(std::countr_zero(marks)) / 8;
}

static_assert(std::endian::native == std::endian::little);
constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kHighs = 0x8080808080808080U;

/// From behind a key's opening quote to its closing one, which simdjson has found to exist.
std::size_t key_size(const char* key) {
  for (std::size_t size = 0;; size += 8) {
    const std::uint64_t quotes = load8(key + size) ^ (kOnes * '"');
    if (const auto marks = (quotes - kOnes) & ~quotes & kHighs) return size + bytes_before(marks);
  }
}

constexpr auto kTens = [] {
  std::array<std::uint64_t, 16> powers{};
  std::uint64_t power = 1;
  for (std::uint64_t& each : powers) {
    each = power;
    power *= 10;
  }
  return powers;
}();

/// Digits at the front of `token`, at most 16: into `value`; returns how many.
std::size_t digits(std::string_view token, std::uint64_t& value) {
  std::size_t size = 0;
  for (int turn = 0; turn < 2; ++turn) {
    std::uint64_t eight = load8(token.data() + size) ^ (kOnes * '0');
    // A byte above 9, or with its high bit, gets its high bit set.
    const auto others = (((eight & ~kHighs) + kOnes * (0x7F - 9)) | eight) & kHighs;
    const std::size_t count = others == 0 ? 8 : bytes_before(others);
    if (count == 0) break;
    eight <<= (8 - count) * 8;
    eight = eight * 10 + (eight >> 8U);
    constexpr std::uint64_t kMask = 0x000000FF000000FFU;
    eight = ((eight & kMask) * (100 + (1'000'000ULL << 32U)) +
             ((eight >> 16U) & kMask) * (1 + (10'000ULL << 32U))) >>
            32U;
    value = value * kTens[count] + eight;
    size += count;
    if (count < 8) break;
  }
  return size;
}

/// What digits() did not settle.
bool set_any_number(Member& member, std::string_view token) {
  const char* const end = token.data() + token.size();
  const std::string_view plain = token.substr(token[0] == '-' ? 1 : 0);
  // from_chars also reads "-inf" and "1.", and stops where it pleases.
  if (plain.empty() || plain[0] < '0' || plain[0] > '9' || token.back() == '.' ||
      (plain.size() > 1 && plain[0] == '0' && plain[1] >= '0' && plain[1] <= '9')) {
    return false;
  }
  const auto read = std::from_chars(token.data(), end, member.real);
  if (read.ec != std::errc() || read.ptr != end) return false;
  member.type = Member::Type::real;
  if (token.find_first_of(".eE") != std::string_view::npos) return true;
  if (token[0] == '-') {
    member.type = Member::Type::negative;
  } else if (std::from_chars(token.data(), end, member.whole).ec == std::errc()) {
    member.type = Member::Type::whole;
  }
  return true;
}

/// A number as JSON writes it; false: it is none, or none that a double holds.
bool set_number(Member& member, std::string_view token) {
  std::uint64_t whole = 0;
  const std::size_t size = digits(token, whole);
  if (size == token.size() && (size == 1 || token[0] != '0')) {
    member.type = Member::Type::whole;
    member.whole = whole;
    member.real = static_cast<double>(whole);
    return true;
  }
  if (size > 0 && size < 15 && token[size] == '.' && (size == 1 || token[0] != '0')) {
    std::uint64_t part = 0;
    const std::size_t places = digits(token.substr(size + 1), part);
    if (places > 0 && size + places <= 15 && size + 1 + places == token.size()) {
      // Both operands are below 2^53 and exact, so the quotient is the nearest double.
      const std::uint64_t power = kTens[places];
      member.type = Member::Type::real;
      member.real = static_cast<double>(whole * power + part) / static_cast<double>(power);
      return true;
    }
  }
  return set_any_number(member, token);
}

/// The members of one object, in one pass over what simdjson's first stage found: its tree is not
/// built (35 % of the instructions, measured), nor searched once a field.
class Members {
 public:
  std::optional<std::string_view> event;
  std::optional<std::string_view> time;
  std::optional<std::uint64_t> seq;
  std::uint64_t identity = 0;

  /// Members that are in `list` are overwritten: none is made anew for each line.
  Members(std::vector<Member>& list, MemberIndex& index) : list_(list), index_(index) {
    index_.clear();
  }

  [[nodiscard]] std::span<const Member> all() const { return std::span(list_).first(count_); }

  simdjson::error_code take(simdjson::ondemand::object object, std::int32_t parent, int depth) {
    for (auto item : object) {
      simdjson::ondemand::field field;
      if (const auto error = std::move(item).get(field)) return error;
      const std::size_t index = count_++;
      if (index == list_.size()) list_.resize(std::max<std::size_t>(64, 2 * index));
      Member& member = list_[index];
      const char* const key = field.key().raw();
      member.key = {key, key_size(key)};
      member.tag = Member::tag_of(member.key);
      member.parent = parent;
      simdjson::ondemand::value value = field.value();
      bool is_object = false;
      if (const auto error = set(member, value, is_object)) return error;
      if (parent == Member::kRoot) {
        index_.add(member.tag, index);
        note(member);
      }
      if (is_object && depth < kDeepest) {
        simdjson::ondemand::object inner;
        if (const auto error = value.get_object().get(inner)) return error;
        if (const auto error = take(inner, static_cast<std::int32_t>(index), depth + 1)) {
          return error;
        }
      }
    }
    return simdjson::SUCCESS;
  }

 private:
  static simdjson::error_code set(Member& member, simdjson::ondemand::value& value,
                                  bool& is_object) {
    using Type = simdjson::ondemand::json_type;
    Type type{};
    if (const auto error = value.type().get(type)) return error;
    switch (type) {
      case Type::array:
        member.type = Member::Type::array;
        break;
      case Type::object:
        member.type = Member::Type::object;
        is_object = true;
        break;
      case Type::number: {
        std::string_view token = value.raw_json_token();
        while (!token.empty() && token.back() <= ' ') token.remove_suffix(1);
        if (!set_number(member, token)) return simdjson::NUMBER_ERROR;
        break;
      }
      case Type::string: {
        member.type = Member::Type::text;
        std::string_view token = value.raw_json_token();
        if (token.find('\\') != std::string_view::npos) {
          return value.get_string().get(member.text);
        }
        token.remove_prefix(1);
        member.text = token.substr(0, token.rfind('"'));
        break;
      }
      case Type::boolean: {
        bool set = false;
        if (const auto error = value.get_bool().get(set)) return error;
        member.type = Member::Type::boolean;
        member.whole = set ? 1 : 0;
        break;
      }
      case Type::null: {
        bool null = false;
        member.type = Member::Type::null;
        if (value.is_null().get(null) != simdjson::SUCCESS || !null) return simdjson::N_ATOM_ERROR;
        break;
      }
    }
    return simdjson::SUCCESS;
  }

  void note(const Member& member) {
    const bool text = member.type == Member::Type::text;
    switch (member.key.size()) {
      case 3:
        if (member.key == "seq" && member.type == Member::Type::whole) seq = member.whole;
        break;
      case 4:
        if (text && !time && member.key == "time") time = member.text;
        break;
      case 5:
        if (text && !event && member.key == "event") event = member.text;
        break;
      case 7:
        if (text && member.key == "task_id") identity = mix(identity, member.text);
        break;
      case 12:
        if (text && member.key == "container_id") identity = mix(identity, member.text);
        break;
      case 14:
        if (text && member.key == "container_name") identity = mix(identity, member.text);
        break;
      default:
        break;
    }
  }

  std::vector<Member>& list_;
  MemberIndex& index_;
  std::size_t count_ = 0;
};

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
    begin_ = end_ = scanned_ = 0;
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
          begin_ = end_ = scanned_ = 0;
        }
        return;
      }
      const auto at = static_cast<std::size_t>(static_cast<const char*>(newline) - data_.get());
      end_line(at);
      begin_ = scanned_ = at + 1;
    }
    begin_ = end_ = scanned_ = 0;
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
    if (std::exchange(overlong_, false) || line.size() > kLongestLine) {
      if (line.size() > kLongestLine) overlong_json_ = looks_like_json(line);
      too_long(std::exchange(overlong_json_, false));
      return;
    }
    take(line, counts.lines, "", true);
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

  /// Behind `text` there are SIMDJSON_PADDING bytes that may be read.
  void take(std::string_view text, std::uint64_t line, std::string_view stream, bool may_wrap) {
    if (!text.starts_with('{')) {
      // A workload that printed half a line, or a log's prefix: the event after it is whole.
      auto start = text.find(kEventStart);
      if (start == std::string_view::npos) start = text.find(R"({"_aws":)");
      if (start == std::string_view::npos) {
        ++counts.foreign;
        return;
      }
      text.remove_prefix(start);
    }
    Members members(members_, index_);
    if (const auto error = parse(text, members)) {
      note_broken(line, simdjson::error_message(error));
      return;
    }
    if (!members.event || !is_ours(*members.event)) {
      if (may_wrap && !members.event && unwrap(members.all(), line)) return;
      ++counts.foreign;
      return;
    }
    const auto time = members.time ? parse_time(*members.time) : std::nullopt;
    if (!time) {
      note_broken(line, "an event without a valid time");
      return;
    }
    if (!stream.empty() && members.identity == 0) members.identity = mix(1, stream);
    const std::uint64_t run = mix(members.identity, writer_of(*members.event));
    if (sequence_) {
      const auto stamp = static_cast<std::uint64_t>(time->time_since_epoch().count());
      const std::string_view tail =
          text.substr(text.size() - std::min<std::size_t>(text.size(), 32));
      const Mark mark{.run = run,
                      .seq = members.seq,
                      .time = *time,
                      .fingerprint = mix(
                          mix(mix(mix(run, members.seq.value_or(0)), stamp), text.size()), tail)};
      switch (sequence_->place(mark)) {
        case Sequence::Place::duplicate:
          ++counts.duplicates;
          return;
        case Sequence::Place::held:
          ++counts.events;
          if (sequence_->hold(mark, line, members.identity, text)) release();
          return;
        case Sequence::Place::next:
          break;
      }
    }
    ++counts.events;
    on_record_(Record(line, *members.event, *time, members.all(), index_, members.identity));
  }

  simdjson::error_code parse(std::string_view text, Members& members) {
    simdjson::ondemand::document document;
    if (const auto error =
            json_.iterate(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING)
                .get(document)) {
      return error;
    }
    simdjson::ondemand::object object;
    if (const auto error = document.get_object().get(object)) return error;
    if (const auto error = members.take(object, Member::kRoot, 0)) return error;
    const bool ended = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
    return ended ? simdjson::SUCCESS : simdjson::TRAILING_CONTENT;
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
      Members members(members_, index_);
      if (parse(held.text, members) != simdjson::SUCCESS) continue;
      on_record_(
          Record(held.line, *members.event, held.mark.time, members.all(), index_, held.identity));
    }
  }

  OnRecord on_record_;
  simdjson::ondemand::parser json_;
  std::vector<Member> members_;
  MemberIndex index_;
  std::optional<Sequence> sequence_;
  Envelope envelope_;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;    ///< of the line
  std::size_t scanned_ = 0;  ///< without a newline up to here
  std::size_t end_ = 0;
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
