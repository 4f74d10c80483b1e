#pragma once

#include <netinet/in.h>

#include <array>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "expose/exposition.h"

namespace oomdrill::probe {

class Monitor;

/// Where --prometheus wants its figures: a file for node_exporter's textfile collector, or a port.
struct ExportTarget {
  std::string file;  ///< empty: `address`
  sockaddr_in6 address{};
};

/// ":9464", "127.0.0.1:9464", "[::1]:9464", or the path of a file that ends in .prom.
Result<ExportTarget> parse_export_target(std::string_view text);

/// Figures for Prometheus, on the loop's thread. Of one scraper at a time nothing is kept but its
/// descriptor, and nobody is waited for. Does not allocate; the file is replaced by rename(2), the
/// one thing that the probe opens after its start.
class Exporter {
 public:
  /// Neither file nor port.
  Exporter() = default;
  /// Writes the file at once, or binds the port, so that what cannot work is told at the start.
  static Result<Exporter> open(const ExportTarget& target, Nanoseconds interval);

  /// To be polled for POLLIN; -1: none.
  [[nodiscard]] int listener() const { return listener_.get(); }
  [[nodiscard]] int client() const { return client_.get(); }
  /// A scraper has sent its request.
  void serve(Monitor& monitor);
  /// The scraper that was answered last has something to say: its end, mostly.
  void drain();
  /// Replaces the file once an interval.
  void refresh(Monitor& monitor, Nanoseconds now);
  /// The state at the end, which stays in the file.
  void finish(Monitor& monitor);

 private:
  Result<void> replace(std::string_view text);

  Fd listener_, client_;
  Fd folder_;
  std::string name_, draft_;
  Nanoseconds interval_{};
  Nanoseconds due_{};
  std::array<char, kMostExposition + 256> buffer_;
};

}  // namespace oomdrill::probe
