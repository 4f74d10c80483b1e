#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "recording/account.h"
#include "recording/record.h"

namespace oomdrill::run {

/// Where a drill is narrated: lines, and on a terminal one live line below them.
class Screen {
 public:
  /// `width` in columns, of a terminal; 0: no live line and no control characters.
  Screen(std::ostream& out, std::size_t width) : out_(&out), width_(width) {}

  [[nodiscard]] bool is_live() const { return width_ > 0; }
  void resize(std::size_t width) {
    if (is_live()) width_ = width;
  }
  /// A line that stays, without its newline.
  void line(std::string_view text);
  /// Replaces the live line.
  void live(std::string_view text);
  /// Takes the live line away.
  void clear();

 private:
  std::ostream* out_;
  std::size_t width_;
  bool shown_ = false;
};

/// The line that an event deserves, in people's words; nullopt for those that only the recording
/// keeps. `account` has noted the event already.
std::optional<std::string> narrate(const recording::Record& record,
                                   const recording::Account& account);

/// "[####------] 31.2 MiB of 64.0 MiB   48.8 %   8.00 MB/s   OOM in 4.1 s".
struct Gauge {
  std::uint64_t used_bytes = 0;
  std::uint64_t limit_bytes = 0;
  std::optional<double> bytes_per_s = {};
  std::optional<double> eta_s = {};
  bool killing = false;  ///< the kernel has killed, and nobody has told of it yet

  [[nodiscard]] std::string text() const;
};

}  // namespace oomdrill::run
