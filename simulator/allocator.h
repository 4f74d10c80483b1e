#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/options.h"

namespace oomdrill::simulator {

/// What an allocator says of itself; nullopt where it does not. Names are jemalloc's.
struct HeapFigures {
  std::optional<std::uint64_t> allocated = {};  ///< in use by the program
  std::optional<std::uint64_t> active = {};     ///< in pages that hold some of that
  std::optional<std::uint64_t> resident = {};   ///< by its own account
  std::optional<std::uint64_t> mapped = {};     ///< taken from the kernel
  std::optional<std::uint64_t> retained = {};   ///< address space that is kept, without memory
  std::optional<std::uint64_t> free = {};       ///< taken from the kernel and not in use
};

/// The allocator that serves malloc in this process, whichever that is.
class Allocator {
 public:
  /// Found out by where `malloc` is bound to, and by a block that is asked for.
  static Allocator serving(const Environment& environment);

  /// "glibc", "jemalloc", "mimalloc", "tcmalloc" or "other".
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] const std::string& version() const { return version_; }
  /// The file that `malloc` is in.
  [[nodiscard]] const std::string& file() const { return file_; }
  /// Of the options in the environment those that it has itself confirmed, with the values that it
  /// goes by: "narenas=1 dirty_decay_ms=0".
  [[nodiscard]] const std::string& options() const { return options_; }
  /// Those that it could not be asked about, or goes by another value of.
  [[nodiscard]] const std::string& unproven() const { return unproven_; }
  /// A block from malloc showed in its own figures; nullopt: it has none.
  [[nodiscard]] std::optional<bool> proven() const { return proven_; }

  /// glibc and jemalloc walk their arenas for it: some microseconds to milliseconds.
  [[nodiscard]] HeapFigures figures() const;
  /// Makes it return to the kernel what it can.
  void give_back() const;

 private:
  enum class Family { glibc, jemalloc, mimalloc, tcmalloc, other };
  void read_options(const Environment& environment);
  void prove();

  Family family_ = Family::other;
  std::string file_;
  std::string version_;
  std::string options_;
  std::string unproven_;
  std::optional<bool> proven_;
};

/// The library behind "jemalloc", "mimalloc", "tcmalloc" or a path; libc's own of "system".
/// Error: there is none, and which package has it.
Result<std::string> find_allocator(const std::string& name);

/// Executes this program anew, with the same arguments, under LD_PRELOAD. Returns only where that
/// fails.
Error execute_under(const std::string& library);

/// Whether `name` (of --allocator) serves malloc now. Where it does not yet, `preload` is called,
/// once in a run. Error: it does not, and cannot.
Result<void> ensure_allocator(const std::string& name, const Environment& environment,
                              Error (*preload)(const std::string& library));

/// Set by execute_under(), so that a preload that did not take is seen.
inline constexpr const char* kPreloadedVariable = "LEAKSIM_PRELOADED";

}  // namespace oomdrill::simulator
