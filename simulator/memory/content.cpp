#include "memory/content.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string>

namespace oomdrill::memory {
namespace {

/// From here on one call for all pages costs less than their page faults.
constexpr std::size_t kPopulateFrom = std::size_t{16} << 10;

/// Where a fresh page's 8 bytes go: another cache line in each of 64 pages. All in the first line
/// would meet in one set of the CPU's cache and evict each other.
std::size_t stamp_offset(const std::byte* page) {
  return (reinterpret_cast<std::uintptr_t>(page) >> 12) % 64 * 64;
}

#ifndef MADV_POPULATE_WRITE
constexpr int MADV_POPULATE_WRITE = 23;
#endif

}  // namespace

Result<Filling> parse_filling(std::string_view text) {
  constexpr std::string_view kCompressible = "compressible=";
  if (text == "unique") return Filling{};
  if (text == "zero") return Filling{.kind = Filling::Kind::zero};
  if (text.starts_with(kCompressible)) {
    const std::string_view number = text.substr(kCompressible.size());
    Filling filling{.kind = Filling::Kind::compressible};
    const auto [end, status] =
        std::from_chars(number.data(), number.data() + number.size(), filling.share);
    if (status == std::errc{} && end == number.data() + number.size() && filling.share >= 0 &&
        filling.share < 1) {
      return filling;
    }
    return fail("'" + std::string(number) + "' is no share of a page", {},
                "give compressible=0 to 0.99: the share that is zeros");
  }
  return fail("unknown content '" + std::string(text) + "'", {},
              "choose unique, zero or compressible=0.5");
}

Content::Content(std::uint64_t seed, Filling filling)
    : state_(seed),
      filling_(filling),
      page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))),
      random_bytes_(std::max<std::size_t>(
          8, static_cast<std::size_t>(
                 std::lround((1 - filling.share) * static_cast<double>(page_))))) {}

std::uint64_t Content::next() {
  // splitmix64: its words do not depend on each other, so a CPU computes several at once.
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

void Content::random(std::byte* at, std::size_t bytes) {
  for (; bytes >= sizeof(std::uint64_t); bytes -= sizeof(std::uint64_t)) {
    const std::uint64_t word = next();
    std::memcpy(at, &word, sizeof word);
    at += sizeof word;
  }
  if (bytes > 0) {
    const std::uint64_t word = next();
    std::memcpy(at, &word, bytes);
  }
}

Content Content::split() {
  Content other = *this;
  other.state_ = next();
  return other;
}

void Content::fill(std::span<std::byte> memory) {
  if (memory.empty()) return;
  if (filling_.kind == Filling::Kind::zero) {
    std::memset(memory.data(), 0, memory.size());
    return;
  }
  for (std::size_t at = 0; at < memory.size(); at += page_) {
    const std::size_t size = std::min(page_, memory.size() - at);
    if (filling_.kind == Filling::Kind::unique) {
      random(&memory[at], std::min<std::size_t>(8, size));
      continue;
    }
    const std::size_t part = std::min(random_bytes_, size);
    random(&memory[at], part);
    if (size > part) std::memset(&memory[at + part], 0, size - part);
  }
  if (filling_.kind == Filling::Kind::unique && memory.size() > 8) {
    // The last bytes may lie in a page that no stamp is in.
    random(&memory[memory.size() - 8], 8);
  }
}

void Content::fill_fresh(std::span<std::byte> memory, std::size_t piece) {
  const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
  const std::uintptr_t end = begin + memory.size();
  const std::uintptr_t first = (begin + page_ - 1) / page_ * page_;
  if (first >= end) return;
  const auto at = [](std::uintptr_t address) { return reinterpret_cast<std::byte*>(address); };
  const std::uintptr_t last = (end + page_ - 1) / page_ * page_;
  for (std::uintptr_t each = first; each < last; each += piece) {
    fill_piece(at(each), std::min<std::size_t>(piece, last - each));
  }
}

void Content::fill_piece(std::byte* piece, std::size_t bytes) {
  // EINVAL: Linux before 5.14. A page fault each does the same.
  const bool populated =
      bytes >= kPopulateFrom && ::madvise(piece, bytes, MADV_POPULATE_WRITE) == 0;
  for (std::byte* page = piece; page < piece + bytes; page += page_) {
    switch (filling_.kind) {
      case Filling::Kind::unique:
        random(page + stamp_offset(page), 8);
        break;
      case Filling::Kind::zero:
        if (!populated) *static_cast<volatile std::byte*>(page) = std::byte{0};
        break;
      case Filling::Kind::compressible:
        random(page, random_bytes_);
        break;
    }
  }
}

}  // namespace oomdrill::memory
