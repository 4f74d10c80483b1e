#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "cgroup/sample.h"

namespace oomdrill::cgroup {

/// Where a held file is read into. On the stack, so that readers share nothing and allocate
/// nothing. Four times the largest file known (/proc/vmstat and memory.stat are about 4 KB).
using Buffer = std::array<char, 16384>;

/// That a file is not there: not in this kernel, not in this cgroup, or switched off (PSI answers
/// EOPNOTSUPP; `cgroup.pressure` takes memory.pressure away, which a held descriptor sees as
/// ENODEV).
bool is_absent(int errnum);

bool exists(const std::string& path);
/// nullopt where the file is absent.
Result<std::optional<std::string>> read_optional_file(const std::string& path);

/// A kernel file that stays open. Reading it allocates nothing unless it fails.
class HeldFile {
 public:
  HeldFile() = default;
  static Result<HeldFile> open(std::string path);
  /// Not valid() where the file is absent or forbidden: one counter less, and not the end of
  /// watching.
  static Result<HeldFile> open_optional(std::string path);

  [[nodiscard]] bool valid() const { return fd_.valid(); }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }

  /// The text, in `buffer`. Of a file that is larger: its whole lines that fit.
  [[nodiscard]] Result<std::string_view> read(std::span<char> buffer) const;
  [[nodiscard]] Result<std::uint64_t> read_number() const;

 private:
  Fd fd_;
  std::string path_;
};

/// The text, or nullopt where the file is absent, be it since it was opened.
Result<std::optional<std::string_view>> read_present(const HeldFile& file, std::span<char> buffer);

/// Leave `out` alone where the file is absent.
Result<void> number_into(const HeldFile& file, Bytes& out);
Result<void> limit_into(const HeldFile& file, Bytes& out);

/// Leaves `out` alone where the file was absent when it was opened; that it is gone since is an
/// error, because counters that vanish must not look like none.
template <class T>
Result<void> parse_into(const HeldFile& file,
                        Result<T> (*parse)(std::string_view, std::string_view), T& out) {
  if (!file.valid()) return {};
  Buffer buffer;
  const auto text = file.read(buffer);
  if (!text) return fail(text.error());
  auto parsed = parse(*text, file.path());
  if (!parsed) return fail(std::move(parsed.error()));
  out = *parsed;
  return {};
}

}  // namespace oomdrill::cgroup
