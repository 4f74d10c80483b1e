#include <array>

#include "patterns.h"
#include "ramp.h"
#include "settings.h"

namespace oomdrill::plan {
namespace {

class Linear final : public Plan {
 public:
  explicit Linear(double rate) : ramp_(rate) {}

  std::optional<Step> next() override {
    const std::uint64_t before = ramp_.bytes_by(step_);
    ++step_;
    return Step{ramp_.due(step_), Grow{ramp_.bytes_by(step_) - before}};
  }

  [[nodiscard]] std::optional<double> nominal_rate() const override { return ramp_.rate(); }

 private:
  Ramp ramp_;
  std::uint64_t step_ = 0;
};

constexpr std::array kParameters = {
    Parameter{"rate", "RATE", "1MB/s", "growth; \"max\" is as fast as pages can be written"}};

Result<std::unique_ptr<Plan>> make(const Settings& settings, std::uint64_t) {
  const auto rate = read_setting(settings, kParameters[0], parse_rate);
  if (!rate) return fail(rate.error());
  return std::make_unique<Linear>(*rate);
}

}  // namespace

constinit const Pattern kLinear = {.name = "linear",
                                   .help = "grows at a steady rate",
                                   .parameters = kParameters,
                                   .needs_blocks = false,
                                   .ends = false,
                                   .make = make};

}  // namespace oomdrill::plan
