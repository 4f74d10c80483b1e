#include "plan/growth.h"

#include <algorithm>

#include "base/units.h"
#include "plan/plan.h"

namespace oomdrill::plan {

Result<Growth> read_growth(const Arguments& arguments) {
  const bool by_flag = arguments.origin("phase") == "--phase";
  const bool pattern_by_flag = arguments.origin("pattern") == "--pattern";
  std::string_view source = "pattern";
  if (arguments.given("phase")) {
    if (!arguments.given("pattern") || (by_flag && !pattern_by_flag)) {
      source = "phase";
    } else if (by_flag == pattern_by_flag) {
      return fail("--pattern is another shape of the same growth", arguments.origin("phase"),
                  "make it a --phase too");
    }
  }
  std::string text;
  for (const std::string& each : arguments.all(source)) text += (text.empty() ? "" : ";") + each;
  const std::string origin = arguments.origin(source);
  const auto choices = parse_pattern(text);
  if (!choices) return fail(Error(choices.error()).within(origin));
  if (!arguments.given("rate")) return Growth{text, origin};

  const auto rate = arguments.get("rate", parse_rate);
  if (!rate) return fail(rate.error());
  // A variable may stand for all runs of a container, a flag is meant for this one.
  if (!takes(*choices, "rate") && arguments.origin("rate") == "--rate") {
    const bool sets_one = std::any_of(choices->begin(), choices->end(), [](const Choice& choice) {
      return choice.settings.contains("rate");
    });
    if (sets_one) {
      return fail("the rate is in " + origin + " already", "--rate", "give one of the two");
    }
    return fail("pattern '" + std::string(choices->front().pattern->name) + "' has no rate",
                "--rate", "its parameters are in leaksim --list-patterns");
  }
  return Growth{spell_out(text, {{"rate", arguments.text("rate")}}), origin};
}

}  // namespace oomdrill::plan
