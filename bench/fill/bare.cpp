// The yardstick of bench/fill/run: MADV_POPULATE_WRITE over chunks of fresh address space, and
// nothing else.
//
//   bare BYTES CHUNK base|huge    prints bytes a second
#include <sys/mman.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace {

#ifndef MADV_POPULATE_WRITE
constexpr int MADV_POPULATE_WRITE = 23;
#endif

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: bare BYTES CHUNK base|huge\n", stderr);
    return 64;
  }
  const std::uint64_t bytes = number(argv[1]);
  const std::uint64_t chunk = number(argv[2]);
  const bool huge = std::string_view(argv[3]) == "huge";
  if (bytes == 0 || chunk == 0) return 64;
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    std::perror("mmap");
    return 71;
  }
  ::madvise(mapped, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  auto* const begin = static_cast<std::byte*>(mapped);
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t at = 0; at + chunk <= bytes; at += chunk) {
    if (::madvise(begin + at, chunk, MADV_POPULATE_WRITE) != 0) {
      std::perror("madvise(MADV_POPULATE_WRITE), Linux 5.14");
      return 71;
    }
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  std::printf("%.0f\n", static_cast<double>(bytes - bytes % chunk) / time.count());
}
