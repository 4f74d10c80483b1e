#include "patterns.h"
#include "polyline.h"

namespace oomdrill::plan {
namespace {

class Hold final : public Polyline {
 private:
  std::optional<Corner> corner() override {
    constexpr Nanoseconds kEach = std::chrono::hours(1);
    if (at_ > Nanoseconds::max() - kEach) return std::nullopt;
    return Corner{at_ += kEach, 0};
  }

  Nanoseconds at_{0};
};

Result<std::unique_ptr<Plan>> make(const Settings&, std::uint64_t) {
  return std::make_unique<Hold>();
}

}  // namespace

constinit const Pattern kHold = {.name = "hold",
                                 .help = "does not grow: a rest between two phases",
                                 .parameters = {},
                                 .needs_blocks = false,
                                 .ends = false,
                                 .make = make};

}  // namespace oomdrill::plan
