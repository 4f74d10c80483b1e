#include <array>

#include "memory/files.h"
#include "memory/kinds.h"

namespace oomdrill::memory {
namespace {

constexpr std::array kParameters = {
    plan::Parameter{"pages", "dirty|clean", "dirty",
                    "clean: written to the disk, so that the kernel can drop them at once"},
    plan::Parameter{"dir", "DIRECTORY", "/var/tmp", "on a disk"}};

std::string directory(const Settings& settings) {
  return std::string(setting(settings, kParameters[1]));
}

Result<void> supported(const Settings& settings) {
  const std::string path = directory(settings);
  const auto in_memory = is_tmpfs(path);
  if (!in_memory) return fail(in_memory.error());
  if (*in_memory) {
    return fail("is a tmpfs, whose files are no page cache", path,
                "name a directory on a disk with dir=, or use --kind tmpfs");
  }
  if (auto file = open_nameless(path); !file) return fail(file.error());
  return {};
}

}  // namespace

constinit const Kind kFile = {
    .name = "file",
    .help = "page cache of files on a disk: counted as used, and dropped where memory is needed",
    .divisible = true,
    .small_blocks = false,
    .parameters = kParameters,
    .claim = [](const Settings&) -> Claim {
      return {.counter = Counter::file,
              .overhead = 0.04,
              .overhead_help = "up to 4 %: the index of the pages, and on ext4 a buffer head each"};
    },
    .supported = supported,
    .make = [](Content content, const Settings& settings) -> std::unique_ptr<Memory> {
      return make_files({.directory = directory(settings),
                         .write_out = setting(settings, kParameters[0]) == "clean",
                         .full_help = "the disk is full: name another directory with dir="},
                        content);
    }};

}  // namespace oomdrill::memory
