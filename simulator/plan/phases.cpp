#include "phases.h"

#include <algorithm>

namespace oomdrill::plan {
namespace {

class Sequence final : public Plan {
 public:
  explicit Sequence(std::vector<Phase> phases) : phases_(std::move(phases)) {}

  std::optional<Step> next() override {
    while (index_ < phases_.size()) {
      Phase& phase = phases_[index_];
      auto step = phase.plan->next();
      if (step && step->due <= phase.length.value_or(Nanoseconds::max())) {
        if (step->due > Nanoseconds::max() - start_) return std::nullopt;
        last_ = step->due;
        step->due += start_;
        renumber(step->action);
        return step;
      }
      const Nanoseconds length = phase.length.value_or(last_);
      const bool rests = length > last_;
      ++index_;
      first_group_ = next_group_;
      last_ = Nanoseconds(0);
      if (length > Nanoseconds::max() - start_) return std::nullopt;
      start_ += length;
      // Nothing grows, but the plan lasts until here.
      if (rests) return Step{start_, Grow{0}};
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<double> nominal_rate() const override {
    return phases_.size() == 1 ? phases_.front().plan->nominal_rate() : std::nullopt;
  }

 private:
  void renumber(Action& action) {
    std::uint32_t* group = nullptr;
    if (auto* allocate = std::get_if<Allocate>(&action)) group = &allocate->group;
    if (auto* rule = std::get_if<FreeMost>(&action)) group = &rule->group;
    if (auto* sampled = std::get_if<FreeSampled>(&action)) group = &sampled->group;
    if (group == nullptr) return;
    *group += first_group_;
    next_group_ = std::max(next_group_, *group + 1);
  }

  std::vector<Phase> phases_;
  std::size_t index_ = 0;
  Nanoseconds start_{0};  ///< of the phase
  Nanoseconds last_{0};   ///< its last step, since its start
  std::uint32_t first_group_ = 0;
  std::uint32_t next_group_ = 0;
};

}  // namespace

std::unique_ptr<Plan> in_sequence(std::vector<Phase> phases) {
  return std::make_unique<Sequence>(std::move(phases));
}

}  // namespace oomdrill::plan
