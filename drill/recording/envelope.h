#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace oomdrill::recording {

/// The JSON documents that `aws logs get-log-events`, `filter-log-events` and Logs Insights'
/// `get-query-results` answer: one object with all log events, each an escaped string. Taken apart
/// as it comes, so that its size does not matter.
class Envelope {
 public:
  /// A message, unescaped, with kPadding readable bytes behind it; and the log stream it is of,
  /// empty where the document does not say.
  using OnMessage = std::function<void(std::string_view text, std::string_view stream)>;
  static constexpr std::size_t kPadding = 64;

  enum class Start { no, yes, unsure };
  /// Whether a line that begins like this begins such a document; unsure: more of it is needed.
  static Start starts(std::string_view text);

  /// Longer messages are cut behind `longest` bytes.
  Envelope(OnMessage on_message, std::size_t longest);

  void open();
  [[nodiscard]] bool is_open() const { return depth_ != kClosed; }
  /// Messages of the document that is open, or was last.
  [[nodiscard]] std::uint64_t messages() const { return messages_; }
  /// It ended where it should not; feed() returned at that point.
  [[nodiscard]] bool is_broken() const { return broken_; }
  void close();

  /// Takes in bytes up to the document's end; returns how many.
  std::size_t feed(std::string_view bytes);

 private:
  enum class At : std::uint8_t { between, key, value, skipped };
  static constexpr int kClosed = -1;
  std::size_t plain(std::string_view bytes);
  std::size_t string(std::string_view bytes);
  void put(char c);
  void put_code_unit();
  void end_string();
  [[nodiscard]] std::size_t room() const;

  OnMessage on_message_;
  std::size_t longest_;
  int depth_ = kClosed;
  bool broken_ = false;
  bool expects_value_ = false;  ///< behind a colon
  At at_ = At::between;
  int escape_ = 0;  ///< 1: behind a backslash; 2 to 5: within \uXXXX
  std::uint32_t code_ = 0;
  std::uint32_t high_ = 0;  ///< the first half of a surrogate pair
  std::string key_;
  std::string text_;
  std::string field_;  ///< Insights: {"field":"@message","value":"…"}
  std::string stream_;
  std::uint64_t messages_ = 0;
};

}  // namespace oomdrill::recording
