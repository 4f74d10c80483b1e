#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace oomdrill::probe {

/// Text held in place, cut to what fits.
template <std::size_t kSize>
class ShortText {
 public:
  ShortText() = default;
  explicit ShortText(std::string_view text) : size_(std::min(text.size(), kSize)) {
    std::copy_n(text.begin(), size_, text_.begin());
  }
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, kSize> text_{};
  std::size_t size_ = 0;
};

/// A process's name as the kernel keeps it, at most 15 bytes.
using ProcessName = ShortText<15>;

}  // namespace oomdrill::probe
