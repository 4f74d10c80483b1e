#include "alarm/rule.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace oomdrill::alarm {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool same_word(std::string_view a, std::string_view upper) {
  return std::equal(a.begin(), a.end(), upper.begin(), upper.end(), [](char x, char y) {
    return std::toupper(static_cast<unsigned char>(x)) == y;
  });
}

/// "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:NAME".
std::string name_of(std::string_view text) {
  constexpr std::string_view kMark = ":alarm:";
  if (text.starts_with("arn:")) {
    if (const auto at = text.find(kMark); at != std::string_view::npos) {
      return std::string(text.substr(at + kMark.size()));
    }
  }
  return std::string(text);
}

}  // namespace

class Rule::Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Rule> run() {
    auto root = either();
    if (!root) return fail(root.error());
    skip_space();
    if (at_ != text_.size()) return error("expected AND, OR or the end");
    rule_.root_ = *root;
    return std::move(rule_);
  }

 private:
  using Kind = Node::Kind;

  tl::unexpected<Error> error(std::string_view what) const {
    return fail(fmt::format("{} at character {} of the rule", what, at_ + 1));
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  /// A word that stands there, without taking it.
  std::string_view word() {
    skip_space();
    std::size_t end = at_;
    while (end < text_.size() &&
           (std::isalpha(static_cast<unsigned char>(text_[end])) != 0 || text_[end] == '_')) {
      ++end;
    }
    return text_.substr(at_, end - at_);
  }

  bool take_word(std::string_view upper) {
    const auto found = word();
    if (!same_word(found, upper)) return false;
    at_ += found.size();
    return true;
  }

  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::size_t add(Node node) {
    rule_.nodes_.push_back(std::move(node));
    return rule_.nodes_.size() - 1;
  }

  std::size_t add(Kind kind, std::size_t left, std::size_t right) {
    Node node;
    node.kind = kind;
    node.left = left;
    node.right = right;
    return add(std::move(node));
  }

  Result<std::size_t> chain(Kind kind, std::string_view operation,
                            Result<std::size_t> (Parser::*operand)()) {
    auto left = (this->*operand)();
    while (left && take_word(operation)) {
      auto right = (this->*operand)();
      if (!right) return right;
      left = add(kind, *left, *right);
    }
    return left;
  }

  Result<std::size_t> either() { return chain(Kind::either, "OR", &Parser::both); }
  Result<std::size_t> both() { return chain(Kind::both, "AND", &Parser::negation); }

  Result<std::size_t> negation() {
    std::size_t times = 0;
    while (take_word("NOT")) ++times;
    auto operand = primary();
    if (operand && times % 2 == 1) return add(Kind::negation, *operand, *operand);
    return operand;
  }

  Result<std::size_t> primary() {
    if (take('(')) {
      if (++depth_ > kDeepest) return error(fmt::format("deeper than {} parentheses", kDeepest));
      auto inner = either();
      if (!inner) return inner;
      if (!take(')')) return error("expected )");
      --depth_;
      return inner;
    }
    if (take_word("AT_LEAST")) return at_least();
    Node node;
    if (take_word("TRUE") || same_word(word(), "FALSE")) {
      node.value = !take_word("FALSE");
      return add(std::move(node));
    }
    node.kind = Kind::state;
    if (!take_state(node.state)) {
      return error("expected ALARM, OK, INSUFFICIENT_DATA, AT_LEAST, NOT, TRUE, FALSE or (");
    }
    if (!take('(')) return error("expected ( and an alarm's name");
    auto name = alarm_name();
    if (!name) return fail(name.error());
    node.alarm = std::move(*name);
    if (!take(')')) return error("expected )");
    return add(std::move(node));
  }

  bool take_state(State& into) {
    for (const State each : {State::alarm, State::ok, State::insufficient_data}) {
      if (!take_word(name(each))) continue;
      into = each;
      return true;
    }
    return false;
  }

  /// What stands behind the word.
  Result<std::size_t> at_least() {
    Node node;
    node.kind = Kind::at_least;
    if (!take('(')) return error("expected ( and a number");
    skip_space();
    const char* end = text_.data() + text_.size();
    const auto [rest, status] = std::from_chars(text_.data() + at_, end, node.least);
    if (status != std::errc() || !(node.least >= 0)) return error("expected a number, or 60%");
    at_ = static_cast<std::size_t>(rest - text_.data());
    node.percent = take('%');
    if (!take(',')) return error("expected , and a state");
    node.negated = take_word("NOT");
    if (!take_state(node.state)) return error("expected ALARM, OK or INSUFFICIENT_DATA");
    if (!take(',') || !take('(')) return error("expected , and the alarms in parentheses");
    do {
      auto name = alarm_name();
      if (!name) return fail(name.error());
      node.alarms.push_back(std::move(*name));
    } while (take(','));
    if (!take(')') || !take(')')) return error("expected , or ))");
    return add(std::move(node));
  }

  Result<std::string> alarm_name() {
    auto found = quoted_or_bare();
    if (!found) return found;
    std::string bare = name_of(*found);
    if (bare.empty()) return error("an alarm without a name");
    return bare;
  }

  Result<std::string> quoted_or_bare() {
    skip_space();
    std::string name;
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      const char quote = text_[at_++];
      while (at_ < text_.size() && text_[at_] != quote) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
        name += text_[at_++];
      }
      if (at_ == text_.size()) return error("the quotation has no end");
      ++at_;
      return name;
    }
    while (at_ < text_.size() && text_[at_] != ')' && text_[at_] != ',') name += text_[at_++];
    while (!name.empty() && is_space(name.back())) name.pop_back();
    return name;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  Rule rule_;
};

Result<Rule> Rule::parse(std::string_view text) {
  if (text.size() > kLongest) {
    return fail(fmt::format("a rule of {} characters", text.size()), {},
                fmt::format("CloudWatch takes {}", kLongest));
  }
  return Parser(text).run();
}

// As deep as the rule: parentheses are bounded, and chains of AND or OR by kLongest.
// NOLINTNEXTLINE(misc-no-recursion)
bool Rule::holds(std::size_t at, const std::function<State(std::string_view)>& state_of) const {
  const Node& node = nodes_[at];
  switch (node.kind) {
    case Node::Kind::state:
      return state_of(node.alarm) == node.state;
    case Node::Kind::both:
      return holds(node.left, state_of) && holds(node.right, state_of);
    case Node::Kind::either:
      return holds(node.left, state_of) || holds(node.right, state_of);
    case Node::Kind::negation:
      return !holds(node.left, state_of);
    case Node::Kind::constant:
      return node.value;
    case Node::Kind::at_least: {
      const auto found =
          std::count_if(node.alarms.begin(), node.alarms.end(), [&](const std::string& alarm) {
            return (state_of(alarm) == node.state) != node.negated;
          });
      const auto all = static_cast<double>(node.alarms.size());
      const double least = node.percent ? node.least * all / 100 : node.least;
      return static_cast<double>(found) >= least;
    }
  }
  return false;
}

bool Rule::holds(const std::function<State(std::string_view)>& state_of) const {
  return !nodes_.empty() && holds(root_, state_of);
}

std::vector<std::string> Rule::alarms() const {
  std::vector<std::string> names;
  const auto note = [&names](const std::string& alarm) {
    if (std::find(names.begin(), names.end(), alarm) == names.end()) names.push_back(alarm);
  };
  for (const Node& node : nodes_) {
    if (node.kind == Node::Kind::state) note(node.alarm);
    for (const std::string& alarm : node.alarms) note(alarm);
  }
  return names;
}

}  // namespace oomdrill::alarm
