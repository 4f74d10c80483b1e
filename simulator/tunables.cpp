#include "tunables.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/file.h"

extern char** environ;

namespace oomdrill::simulator {
namespace {

constexpr std::string_view kPrefix = "glibc.malloc.";

struct Alias {
  const char* variable;
  std::string_view name;
};
constexpr std::array kAliases = {
    Alias{"MALLOC_ARENA_MAX", "arena_max"},
    Alias{"MALLOC_ARENA_TEST", "arena_test"},
    Alias{"MALLOC_CHECK_", "check"},
    Alias{"MALLOC_MMAP_MAX_", "mmap_max"},
    Alias{"MALLOC_MMAP_THRESHOLD_", "mmap_threshold"},
    Alias{"MALLOC_PERTURB_", "perturb"},
    Alias{"MALLOC_TOP_PAD_", "top_pad"},
    Alias{"MALLOC_TRIM_THRESHOLD_", "trim_threshold"},
};

/// The loader is mapped into each dynamic process: its file is where AT_BASE points.
std::string loader_path() {
  Dl_info info{};
  const auto base = ::getauxval(AT_BASE);
  if (base == 0 || ::dladdr(reinterpret_cast<const void*>(base), &info) == 0) return {};
  return info.dli_fname == nullptr ? "" : info.dli_fname;
}

/// What the loader goes by, under this process's own environment; empty where it cannot say.
std::string list_of_loader() {
  const std::string loader = loader_path();
  std::array<int, 2> ends{};
  if (loader.empty() || ::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const Fd from(ends[0]);
  Fd to(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, to.get(), STDOUT_FILENO);
  std::string path = loader;
  std::string option = "--list-tunables";
  std::array<char*, 3> argv = {path.data(), option.data(), nullptr};
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, loader.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return {};
  to.reset();
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const auto n = ::read(from.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return text;
}

}  // namespace

std::vector<std::string> malloc_tunables_in(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(':'));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    const auto equals = item.find('=');
    if (!item.starts_with(kPrefix) || equals == std::string_view::npos) continue;
    if (equals == kPrefix.size()) continue;  // "glibc.malloc.=1" names none
    names.emplace_back(item.substr(kPrefix.size(), equals - kPrefix.size()));
  }
  return names;
}

std::string value_in_list(std::string_view list, std::string_view name) {
  const std::string key = std::string(kPrefix) + std::string(name) + ": ";
  for (std::size_t at = 0; (at = list.find(key, at)) != std::string_view::npos; ++at) {
    if (at != 0 && list[at - 1] != '\n') continue;
    const std::string_view rest = list.substr(at + key.size());
    return std::string(rest.substr(0, rest.find_first_of(" \n")));
  }
  return {};
}

std::vector<Tunable> glibc_tunables(const Environment& environment) {
  const char* text = environment("GLIBC_TUNABLES");
  std::vector<std::string> names =
      text == nullptr ? std::vector<std::string>{} : malloc_tunables_in(text);
  for (const Alias& alias : kAliases) {
    if (environment(alias.variable) != nullptr) names.emplace_back(alias.name);
  }
  std::vector<Tunable> tunables;
  if (names.empty()) return tunables;
  const std::string list = list_of_loader();
  for (std::string& name : names) {
    std::string value = value_in_list(list, name);
    tunables.push_back({std::move(name), std::move(value)});
  }
  return tunables;
}

}  // namespace oomdrill::simulator
