// One pass over a recording: `bench_recording_pass bare|read FILE`. bench/recording/run times it.
#include <fcntl.h>
#include <fmt/core.h>
#include <simdjson.h>
#include <unistd.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "recording/account.h"
#include "recording/reader.h"

namespace {

using namespace oomdrill;

/// simdjson alone, at its fastest for lines: blocks that end with a line through parse_many, one
/// thread as we have, nothing looked at.
std::uint64_t bare(const char* path) {
  const int fd = ::open(path, O_RDONLY);
  if (fd < 0) return 0;
  constexpr std::size_t kBlock = std::size_t{1} << 20;
  std::vector<char> block(kBlock + simdjson::SIMDJSON_PADDING);
  simdjson::dom::parser parser;
#ifdef SIMDJSON_THREADS_ENABLED
  parser.threaded = false;
#endif
  std::uint64_t documents = 0;
  std::size_t size = 0;
  for (;;) {
    const auto n = ::read(fd, block.data() + size, kBlock - size);
    if (n <= 0) break;
    size += static_cast<std::size_t>(n);
    const void* last = ::memrchr(block.data(), '\n', size);
    if (last == nullptr) break;
    const auto whole = static_cast<std::size_t>(static_cast<const char*>(last) - block.data()) + 1;
    simdjson::dom::document_stream stream;
    if (parser.parse_many(block.data(), whole, kBlock).get(stream) != simdjson::SUCCESS) break;
    for (const auto document : stream) {
      if (document.error() == simdjson::SUCCESS) ++documents;
    }
    std::memmove(block.data(), block.data() + whole, size - whole);
    size -= whole;
  }
  ::close(fd);
  return documents;
}

std::uint64_t read(const char* path) {
  recording::Account account;
  recording::Reader reader([&](const recording::Record& record) { account.note(record); },
                           recording::Reader::Order::restored);
  if (!recording::read_file(path, reader)) return 0;
  return reader.counts().events;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: bench_recording_pass bare|read FILE\n");
    return 64;
  }
  const std::uint64_t count = std::string_view(argv[1]) == "bare" ? bare(argv[2]) : read(argv[2]);
  fmt::print("{} lines\n", count);
  return count > 0 ? 0 : 1;
}
