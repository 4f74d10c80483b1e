#include "recording/structure.h"

#include <algorithm>
#include <cstddef>

namespace oomdrill::recording {

simdjson::error_code Structure::index(std::string_view text) {
  if (stage_ == nullptr || stage_->capacity() < text.size()) {
    constexpr std::size_t kLeast = 4096;
    if (const auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
            std::max(kLeast, text.size()), simdjson::DEFAULT_MAX_DEPTH, stage_)) {
      return error;
    }
  }
  base_ = text.data();
  const auto error = stage_->stage1(reinterpret_cast<const std::uint8_t*>(base_), text.size(),
                                    simdjson::stage1_mode::regular);
  at_ = stage_->structural_indexes.get();
  // Behind the last there is text.size() once more.
  last_ = at_ + stage_->n_structural_indexes;
  return error;
}

Structure::Walk Structure::walk(std::string_view part) {
  const auto begin = static_cast<std::uint32_t>(part.data() - base_);
  // A line has a hundred.
  constexpr std::ptrdiff_t kStride = 16;
  while (last_ - at_ > kStride && at_[kStride] < begin) at_ += kStride;
  while (*at_ < begin) ++at_;
  Walk walk;
  walk.base_ = base_;
  walk.at_ = at_;
  walk.last_ = last_;
  walk.end_ = begin + static_cast<std::uint32_t>(part.size());
  return walk;
}

}  // namespace oomdrill::recording
