#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"

namespace oomdrill::memory {

/// What pages are filled with.
struct Filling {
  enum class Kind {
    unique,        ///< zeros with 8 bytes that no other page has: KSM cannot merge such pages
    zero,          ///< KSM merges them, zswap and zram keep next to nothing of them
    compressible,  ///< random bytes, and zeros in a `share` of each page: what swap can save
  };
  Kind kind = Kind::unique;
  double share = 0;  ///< in [0, 1)
};

/// "unique", "zero" or "compressible=0.5".
Result<Filling> parse_filling(std::string_view text);

/// A source of content; each page of it differs from all others unless it is to be zero.
class Content {
 public:
  explicit Content(std::uint64_t seed, Filling filling = {});

  /// Every byte of `memory`, whatever it held. Cheap contents leave zeros or what was there.
  void fill(std::span<std::byte> memory);
  /// For memory that the kernel hands out as zeros on the first write: writes to each page that
  /// begins within `memory`, up to the end of that page, and to nothing else. So memory that is
  /// written step by step has each page written as its first byte comes.
  /// `piece`: so much is filled together; what the kernel has just cleared is then still in the
  /// CPU's cache. A huge page is cleared at once, and each further piece of it is a call for
  /// nothing.
  void fill_fresh(std::span<std::byte> memory, std::size_t piece = kPiece);
  static constexpr std::size_t kPiece = std::size_t{256} << 10;
  /// Another source of the same content.
  [[nodiscard]] Content split();

 private:
  std::uint64_t next();
  void random(std::byte* at, std::size_t bytes);
  /// Whole pages, fresh ones.
  void fill_piece(std::byte* piece, std::size_t bytes);

  std::uint64_t state_;
  Filling filling_;
  std::size_t page_;
  std::size_t random_bytes_;  ///< of each page
};

}  // namespace oomdrill::memory
