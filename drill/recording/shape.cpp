#include "recording/shape.h"

#include <algorithm>
#include <cstring>

namespace oomdrill::recording {
namespace {

constexpr std::array<std::string_view, 6> kNoted = {"event",   "time",         "seq",
                                                    "task_id", "container_id", "container_name"};
/// The places of more do not fit, neither here nor in a MemberIndex.
constexpr std::size_t kMostMembers = 254;

}  // namespace

Member& Taken::add() {
  if (size_ == list_.size()) {
    list_.resize(std::max<std::size_t>(64, 2 * size_));
    closed_.resize(list_.size());
  }
  closed_[size_] = 0;
  return list_[size_++];
}

bool Shape::has_key(const Step& step, const char* at) {
  std::uint64_t differs = 0;
  for (std::size_t i = 0; i < kWords; ++i) {
    differs |= (load8(at + 8 * i) ^ step.words[i]) & step.masks[i];
  }
  return differs == 0;
}

void Shape::learn(Structure::Walk walk, const Taken& taken) {
  steps_.clear();
  noted_.clear();
  tokens_ = 0;
  const auto found = taken.members();
  if (found.empty() || found.size() > kMostMembers) return;
  const char* const begin = walk.peek();
  const char* end = begin;
  const std::uint32_t* const first = walk.place();
  for (const char* at = begin; at != nullptr; at = walk.peek()) {
    end = at;
    walk.skip();
  }
  const auto count = static_cast<std::size_t>(walk.place() - first);
  line_.assign(begin, end + 1);
  line_.append(8 * kWords, '\0');
  const auto offset = [&](std::size_t token) { return first[token] - first[0]; };

  members_.assign(found.begin(), found.end());
  index_ = taken.index;
  std::size_t token = 1;
  for (std::size_t place = 0; place < found.size(); ++place) {
    Member& member = members_[place];
    Step& step = steps_.emplace_back();
    const char* const key = line_.data() + offset(token);
    step.size = offset(token + 1) + 1 - offset(token);
    // A key that is escaped or long, or apart from its colon.
    if (step.size > 8 * kWords || step.size != found[place].key.size() + 3) return;
    for (std::size_t i = 0; i < kWords; ++i) {
      const std::size_t used = std::clamp<std::size_t>(step.size, 8 * i, 8 * i + 8) - 8 * i;
      step.masks[i] = used == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << used * 8) - 1;
      step.words[i] = load8(key + 8 * i) & step.masks[i];
    }
    member.key = {key + 1, found[place].key.size()};
    member.text = {};
    step.closed = taken.closed(place);
    token += 2;
    const bool holds =
        place + 1 < found.size() && found[place + 1].parent == static_cast<std::int32_t>(place);
    step.object = member.type == Member::Type::object && holds;
    if (step.object) {
      ++token;
      continue;
    }
    const std::size_t value = token;
    if (member.type == Member::Type::array || member.type == Member::Type::object) {
      int depth = 0;
      do {
        const char c = line_[offset(token)];
        depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
        ++token;
      } while (depth > 0);
      step.same = std::string_view(line_).substr(offset(value), offset(token) - offset(value));
    } else {
      ++token;
    }
    step.tokens = static_cast<std::uint32_t>(token - value);
    token += std::max<std::size_t>(step.closed, 1);
    if (step.closed > 0 && place + 1 < found.size()) ++token;
    if (member.parent == Member::kRoot &&
        std::find(kNoted.begin(), kNoted.end(), member.key) != kNoted.end()) {
      noted_.push_back(static_cast<std::uint8_t>(place));
    }
  }
  if (token == count) tokens_ = count;
}

bool Shape::match(const Structure::Walk& walk) {
  using Type = Member::Type;
  if (!walk.has(tokens_)) return false;
  const char* const base = walk.base();
  const std::uint32_t* at = walk.place() + 1;
  Member* member = members_.data();
  for (const Step& step : steps_) {
    const char* const key = base + at[0];
    const char* const value = base + at[2];
    if (!has_key(step, key)) return false;
    if (step.object) {
      if (*value != '{') return false;
      at += 3;
      ++member;
      continue;
    }
    at += 2 + step.tokens;
    const char* const next = base + *at;
    const std::string_view token = token_between(value, next);
    if (!step.same.empty()) {
      if (std::string_view(value, static_cast<std::size_t>(next - value)) != step.same)
        return false;
    } else if (*value == '"') {
      member->type = Type::text;
      member->text = token.substr(1, token.size() - 2);
      if (member->text.find('\\') != std::string_view::npos) return false;
    } else if (is_number(token)) {
      member->type = Type::number;
      member->text = token;
    } else if (token == "null") {
      member->type = Type::null;
    } else if (token == "true" || token == "false") {
      member->type = Type::boolean;
      member->text = token;
    } else {
      return false;
    }
    for (int left = step.closed; left > 0; --left) {
      if (base[*at++] != '}') return false;
    }
    ++member;
    if (member == members_.data() + members_.size()) break;
    if (base[*at++] != ',') return false;
  }
  return at == walk.place() + tokens_;
}

}  // namespace oomdrill::recording
