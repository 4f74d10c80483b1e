#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "state.h"

namespace oomdrill::bench {

/// Allocates and frees by a seeded plan, as fast as it can. Its own bookkeeping is mapped, so that
/// it takes no memory from the allocator (but the ledger's groups, some KiB).
class Workload {
 public:
  virtual ~Workload() = default;
  /// Until there is no more, or `done` says so; it is asked after every MiB or so. May be called
  /// once more after free_all().
  virtual Result<void> run(const std::function<bool()>& done) = 0;
  /// Frees all that it holds, in the order of allocation.
  virtual void free_all() = 0;
};

/// `text` is a pattern of leaksim's, "lru:cache=32MiB", or one of
///   rails[:keep=N]   16 threads take turns; each handles a request: 2 MiB of blocks of 32 B to 8
///                    KiB, of which 2 % stay for N requests (0: for ever)
///   larson           threads exchange blocks of 8 to 1000 B, 5000 a thread, 100 rounds
///   handoff          one thread allocates 16 to 1024 B, another frees
///   robson:live=SIZE,largest=SIZE
///                    Robson's adversary (1974), unit 32 B: sizes double, and what stays lies so
///                    that no larger block fits between
Result<std::unique_ptr<Workload>> make_workload(std::string_view text, std::uint64_t seed,
                                                State& state);

// One file each.
std::unique_ptr<Workload> make_rails(std::uint64_t keep, std::uint64_t seed, State& state);
std::unique_ptr<Workload> make_larson(std::uint64_t seed, State& state);
std::unique_ptr<Workload> make_handoff(std::uint64_t seed, State& state);
std::unique_ptr<Workload> make_robson(std::uint64_t live, std::uint64_t largest, State& state);

}  // namespace oomdrill::bench
