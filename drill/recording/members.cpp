#include "recording/members.h"

#include <algorithm>

#include "recording/number.h"

namespace oomdrill::recording {
namespace {

/// Objects within objects beyond are checked, and not kept.
constexpr int kDeepestKept = 4;
constexpr int kDeepest = 256;
constexpr std::int32_t kNotKept = -2;
constexpr std::uint32_t kMostPatience = 4096;

}  // namespace

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * kSpread;
  return hash ^ (hash >> 29U);
}

std::uint64_t mix(std::uint64_t hash, std::string_view text) {
  return mix(hash, std::hash<std::string_view>()(text));
}

simdjson::error_code Members::take(Structure::Walk walk) {
  event_.reset();
  time_.reset();
  seq_.reset();
  identity_ = 0;
  unescaped_.clear();
  const char* const first = walk.peek();
  if (first == nullptr || *first != '{') return simdjson::INCORRECT_TYPE;
  // From where our events differ.
  Known& known = known_[load8(first + kEventStart.size()) * kSpread >> (64 - 5)];
  static_assert(kKnown == 1 << 5);
  if (known.shape.match(walk)) {
    all_ = known.shape.members();
    index_ = &known.shape.index();
    for (const std::uint8_t place : known.shape.noted()) note(all_[place]);
    return simdjson::SUCCESS;
  }
  taken_.clear();
  Structure::Walk rest = walk;
  if (const auto error = take_apart(rest)) return error;
  all_ = taken_.members();
  index_ = &taken_.index;
  if (++known.misses >= known.patience) {
    known.misses = 0;
    known.patience = std::min(2 * known.patience, kMostPatience);
    known.shape.learn(walk, taken_);
  }
  return simdjson::SUCCESS;
}

simdjson::error_code Members::take_apart(Structure::Walk& walk) {
  walk.skip();
  if (const auto error = object(walk, Member::kRoot, 0, true)) return error;
  return walk.peek() == nullptr ? simdjson::SUCCESS : simdjson::TRAILING_CONTENT;
}

simdjson::error_code Members::object(Structure::Walk& walk, std::int32_t parent, int depth,
                                     bool keep) {
  if (depth > kDeepest) return simdjson::DEPTH_ERROR;
  const char* at = walk.peek();
  if (at == nullptr) return simdjson::INCOMPLETE_ARRAY_OR_OBJECT;
  if (*at == '}') {
    walk.skip();
    return simdjson::SUCCESS;
  }
  Member unkept;
  for (;;) {
    if (*at != '"') return simdjson::TAPE_ERROR;
    walk.skip();
    const char* const colon = walk.peek();
    if (colon == nullptr) return simdjson::INCOMPLETE_ARRAY_OR_OBJECT;
    if (*colon != ':') return simdjson::TAPE_ERROR;
    walk.skip();
    const auto place = static_cast<std::int32_t>(taken_.size());
    Member& member = keep ? taken_.add() : unkept;
    const std::string_view quoted = token_between(at, colon);
    member.key = quoted.substr(1, quoted.size() - 2);
    member.tag = Member::tag_of_padded(member.key);
    member.parent = parent;
    if (const auto error = value(walk, member, depth, keep ? place : kNotKept)) return error;
    if (parent == Member::kRoot) {
      // value() may have moved it.
      const Member& root = taken_.members()[static_cast<std::size_t>(place)];
      taken_.index.add(root.tag, static_cast<std::size_t>(place));
      note(root);
    }
    at = walk.peek();
    if (at == nullptr) return simdjson::INCOMPLETE_ARRAY_OR_OBJECT;
    walk.skip();
    if (*at == '}') {
      if (keep) taken_.close();
      return simdjson::SUCCESS;
    }
    if (*at != ',') return simdjson::TAPE_ERROR;
    at = walk.peek();
    if (at == nullptr) return simdjson::INCOMPLETE_ARRAY_OR_OBJECT;
  }
}

simdjson::error_code Members::array(Structure::Walk& walk, int depth) {
  if (depth > kDeepest) return simdjson::DEPTH_ERROR;
  const char* at = walk.peek();
  if (at != nullptr && *at == ']') {
    walk.skip();
    return simdjson::SUCCESS;
  }
  Member unkept;
  for (;;) {
    if (const auto error = value(walk, unkept, depth, kNotKept)) return error;
    at = walk.peek();
    if (at == nullptr) return simdjson::INCOMPLETE_ARRAY_OR_OBJECT;
    walk.skip();
    if (*at == ']') return simdjson::SUCCESS;
    if (*at != ',') return simdjson::TAPE_ERROR;
  }
}

simdjson::error_code Members::value(Structure::Walk& walk, Member& member, int depth,
                                    std::int32_t place) {
  using Type = Member::Type;
  const char* const at = walk.peek();
  if (at == nullptr) return simdjson::INCOMPLETE_ARRAY_OR_OBJECT;
  walk.skip();
  if (*at == '{') {
    member.type = Type::object;
    return object(walk, place, depth + 1, place != kNotKept && depth < kDeepestKept);
  }
  if (*at == '[') {
    member.type = Type::array;
    return array(walk, depth + 1);
  }
  const char* const next = walk.peek();
  // Something has to close what this is in.
  if (next == nullptr) return simdjson::INCOMPLETE_ARRAY_OR_OBJECT;
  const std::string_view token = token_between(at, next);
  switch (*at) {
    case '"':
      return text(member, token);
    case 't':
      member.type = Type::boolean;
      member.text = token;
      return token == "true" ? simdjson::SUCCESS : simdjson::T_ATOM_ERROR;
    case 'f':
      member.type = Type::boolean;
      member.text = token;
      return token == "false" ? simdjson::SUCCESS : simdjson::F_ATOM_ERROR;
    case 'n':
      member.type = Type::null;
      return token == "null" ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
    case '}':
    case ']':
    case ',':
    case ':':
      return simdjson::TAPE_ERROR;
    default:
      member.type = Type::number;
      member.text = token;
      return is_number(token) ? simdjson::SUCCESS : simdjson::NUMBER_ERROR;
  }
}

simdjson::error_code Members::text(Member& member, std::string_view token) {
  member.type = Member::Type::text;
  member.text = token.substr(1, token.size() - 2);
  if (member.text.find('\\') == std::string_view::npos) return simdjson::SUCCESS;
  simdjson::ondemand::document document;
  std::string_view plain;
  if (const auto error =
          unescaper_.iterate(token.data(), token.size(), token.size() + simdjson::SIMDJSON_PADDING)
              .get(document)) {
    return error;
  }
  if (const auto error = document.get_string().get(plain)) return error;
  // Too long for a string to hold within itself: it stays where it is when the list grows.
  std::string& kept = unescaped_.emplace_back();
  kept.reserve(plain.size() + simdjson::SIMDJSON_PADDING);
  kept = plain;
  member.text = kept;
  return simdjson::SUCCESS;
}

void Members::note(const Member& member) {
  const bool is_text = member.type == Member::Type::text;
  switch (member.key.size()) {
    case 3:
      if (member.key == "seq" && member.type == Member::Type::number) seq_ = whole_of(member.text);
      break;
    case 4:
      if (is_text && !time_ && member.key == "time") time_ = member.text;
      break;
    case 5:
      if (is_text && !event_ && member.key == "event") event_ = member.text;
      break;
    case 7:
      if (is_text && member.key == "task_id") identity_ = mix(identity_, member.text);
      break;
    case 12:
      if (is_text && member.key == "container_id") identity_ = mix(identity_, member.text);
      break;
    case 14:
      if (is_text && member.key == "container_name") identity_ = mix(identity_, member.text);
      break;
    default:
      break;
  }
}

}  // namespace oomdrill::recording
