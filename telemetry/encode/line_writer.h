#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>

namespace oomdrill::telemetry {

/// Appends to a fixed buffer. What does not fit is cut off and remembered as overflow; rewind() to
/// a mark taken before makes the line whole again.
class LineWriter {
 public:
  explicit LineWriter(std::span<char> line) : data_(line.data()), limit_(line.size()) {}
  /// Counts only.
  LineWriter() = default;

  void put(char c) { put(std::string_view(&c, 1)); }
  void put(std::string_view text) {
    std::size_t n = text.size();
    if (n > limit_ - size_) {
      n = limit_ - size_;
      overflow_ = true;
    }
    if (n == 0) return;
    if (data_ != nullptr) std::memcpy(data_ + size_, text.data(), n);
    last_ = text[n - 1];
    size_ += n;
  }
  void put(std::uint64_t value);
  void put(std::int64_t value);
  /// The shortest decimal that reads back as the same double, whatever the locale; whole numbers
  /// without a point or exponent. `value` is finite.
  void put(double value);
  /// `text` without its quotes: control characters, quotes and backslashes escaped, what is not
  /// UTF-8 replaced by U+FFFD. `for_terminal` also escapes DEL and C1, which JSON lets through.
  void put_escaped(std::string_view text, bool for_terminal = false);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] char last() const { return last_; }
  [[nodiscard]] bool overflow() const { return overflow_; }

  struct Mark {
    std::size_t size;
    char last;
    bool overflow;
  };
  [[nodiscard]] Mark mark() const { return {size_, last_, overflow_}; }
  void rewind(const Mark& mark) {
    size_ = mark.size;
    last_ = mark.last;
    overflow_ = mark.overflow;
  }

 private:
  char* data_ = nullptr;
  std::size_t limit_ = std::numeric_limits<std::size_t>::max();
  std::size_t size_ = 0;
  char last_ = '\0';
  bool overflow_ = false;
};

}  // namespace oomdrill::telemetry
