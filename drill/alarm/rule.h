#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "alarm/state.h"
#include "base/error.h"

namespace oomdrill::alarm {

/// The rule of a composite alarm: ALARM("a") AND NOT (OK(b) OR INSUFFICIENT_DATA(arn…)), TRUE and
/// FALSE; AT_LEAST(2, ALARM, (a, b, c)) and AT_LEAST(60%, NOT OK, (a, b, c)), as the CDK's
/// AlarmRule writes them. NOT binds closest, then AND, then OR.
class Rule {
 public:
  /// Longer ones, and deeper ones than this, are refused; CloudWatch's own limit is 10,240.
  static constexpr std::size_t kLongest = 10'240;
  static constexpr std::size_t kDeepest = 100;

  /// Error: not a rule; it says at which character.
  static Result<Rule> parse(std::string_view text);

  [[nodiscard]] bool holds(const std::function<State(std::string_view alarm)>& state_of) const;
  /// The alarms that it names, each once, in order of appearance. Of an ARN the name.
  [[nodiscard]] std::vector<std::string> alarms() const;

 private:
  struct Node {
    enum class Kind { state, both, either, negation, constant, at_least };
    Kind kind = Kind::constant;
    State state = State::ok;
    bool value = false;
    std::string alarm;
    std::vector<std::string> alarms;  ///< of at_least
    bool negated = false;             ///< at_least: not in `state`
    double least = 0;                 ///< so many of them, or with `percent` such a part
    bool percent = false;
    std::size_t left = 0;
    std::size_t right = 0;
  };
  class Parser;
  [[nodiscard]] bool holds(std::size_t node,
                           const std::function<State(std::string_view)>& state_of) const;

  std::vector<Node> nodes_;
  std::size_t root_ = 0;
};

}  // namespace oomdrill::alarm
