// The price of a page fault below a limit: fills a share of it, and then writes to fresh pages.
//   bench_fault LEVEL PAGES [FILE]     bytes to be filled first; prints nanoseconds a fault
// FILE is read before, so that its pages are charged to the same cgroup, and to go once it is full.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace {

constexpr std::uint64_t kPage = 4096;

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool read_into_cache(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  static std::array<char, std::size_t{1} << 16> buffer;
  while (::read(fd, buffer.data(), buffer.size()) > 0) {
  }
  ::close(fd);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: bench_fault LEVEL PAGES [FILE]\n", stderr);
    return 64;
  }
  const std::uint64_t level = number(argv[1]);
  const std::uint64_t pages = number(argv[2]);
  if (argc > 3 && !read_into_cache(argv[3])) {
    std::perror(argv[3]);
    return 66;
  }
  const std::uint64_t bytes = level + pages * kPage;
  void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) {
    std::perror("mmap");
    return 71;
  }
  ::madvise(at, bytes, MADV_NOHUGEPAGE);
  auto* const memory = static_cast<volatile char*>(at);
  std::uint64_t offset = 0;
  for (; offset < level; offset += kPage) memory[offset] = 1;
  const auto start = std::chrono::steady_clock::now();
  for (; offset < bytes; offset += kPage) memory[offset] = 1;
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  std::printf("%.1f\n", took.count() / static_cast<double>(pages));
}
