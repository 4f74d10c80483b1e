#include <array>

#include "memory/files.h"
#include "memory/kinds.h"

namespace oomdrill::memory {
namespace {

constexpr std::array kParameters = {
    plan::Parameter{"dir", "DIRECTORY", "/dev/shm", "on a tmpfs; its own size limits it too"}};

std::string directory(const Settings& settings) {
  return std::string(setting(settings, kParameters[0]));
}

Result<void> supported(const Settings& settings) {
  const std::string path = directory(settings);
  const auto in_memory = is_tmpfs(path);
  if (!in_memory) return fail(in_memory.error());
  if (!*in_memory) return fail("is no tmpfs", path, "name a directory on one with dir=");
  if (auto file = open_nameless(path); !file) return fail(file.error());
  return {};
}

}  // namespace

constinit const Kind kTmpfs = {
    .name = "tmpfs",
    .help = "files on a tmpfs, such as /dev/shm or an emptyDir in memory",
    .divisible = true,
    .small_blocks = false,
    .parameters = kParameters,
    .claim = [](const Settings&) -> Claim {
      return {.counter = Counter::shmem,
              .overhead = 0.005,
              .overhead_help = "0.3 %: the index of the files' pages"};
    },
    .supported = supported,
    .make = [](Content content, const Settings& settings) -> std::unique_ptr<Memory> {
      return make_files({.directory = directory(settings),
                         .full_help = "the tmpfs is full: make it larger (docker run --shm-size), "
                                      "or use --kind memfd"},
                        content);
    }};

}  // namespace oomdrill::memory
