#include "allocator.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "base/file.h"
#include "tunables.h"

extern char** environ;

namespace oomdrill::simulator {
namespace {

// The allocators' own interfaces, which none of them is linked for: what is loaded is asked.
using Mallctl = int (*)(const char*, void*, std::size_t*, void*, std::size_t);
using MiVersion = int (*)();
using MiIsInHeap = bool (*)(const void*);
using MiCollect = void (*)(bool);
using MiProcessInfo = void (*)(std::size_t*, std::size_t*, std::size_t*, std::size_t*, std::size_t*,
                               std::size_t*, std::size_t*, std::size_t*);
using TcVersion = const char* (*)(int*, int*, const char**);
using TcProperty = int (*)(const char*, std::size_t*);
using TcRelease = void (*)();

constexpr std::size_t kProofBytes = std::size_t{1} << 20;

template <class Function>
Function symbol(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_DEFAULT, name));
}

std::string file_of(const void* address) {
  Dl_info info{};
  if (address == nullptr || ::dladdr(address, &info) == 0 || info.dli_fname == nullptr) return {};
  std::array<char, PATH_MAX> path;
  return ::realpath(info.dli_fname, path.data()) == nullptr ? info.dli_fname : path.data();
}

std::string file_of(const char* name) { return file_of(::dlsym(RTLD_DEFAULT, name)); }

template <class T>
std::optional<T> ask_jemalloc(Mallctl mallctl, const char* name) {
  T value{};
  std::size_t size = sizeof value;
  if (mallctl == nullptr || mallctl(name, &value, &size, nullptr, 0) != 0 || size != sizeof value) {
    return std::nullopt;
  }
  return value;
}

/// The value of opt.`name` as text. Its type is told by its size, which mallctl checks; a text is
/// told by the names of those that are.
std::string jemalloc_option(Mallctl mallctl, const std::string& name) {
  static constexpr std::array<std::string_view, 6> kTexts = {
      "dss", "percpu_arena", "thp", "metadata_thp", "stats_print_opts", "junk"};
  const std::string path = "opt." + name;
  for (const std::string_view text : kTexts) {
    if (name != text) continue;
    const auto value = ask_jemalloc<const char*>(mallctl, path.c_str());
    return value && *value != nullptr ? *value : "";
  }
  if (const auto on = ask_jemalloc<bool>(mallctl, path.c_str())) return *on ? "true" : "false";
  if (const auto number = ask_jemalloc<unsigned>(mallctl, path.c_str())) {
    return std::to_string(*number);
  }
  if (const auto number = ask_jemalloc<std::ptrdiff_t>(mallctl, path.c_str())) {
    return std::to_string(*number);
  }
  return {};
}

std::optional<std::uint64_t> ask_tcmalloc(const char* name) {
  const auto property = symbol<TcProperty>("MallocExtension_GetNumericProperty");
  std::size_t value = 0;
  if (property == nullptr || property(name, &value) == 0) return std::nullopt;
  return value;
}

void append(std::string& list, const std::string& item) {
  list += (list.empty() ? "" : " ") + item;
}

struct Library {
  std::string_view name;
  std::array<const char*, 3> files;
  std::string_view package;
};
constexpr std::array kLibraries = {
    Library{"jemalloc", {"libjemalloc.so.2", "libjemalloc.so", nullptr}, "libjemalloc2"},
    Library{
        "mimalloc", {"libmimalloc.so.2", "libmimalloc.so.3", "libmimalloc.so"}, "libmimalloc2.0"},
    Library{"tcmalloc",
            {"libtcmalloc_minimal.so.4", "libtcmalloc.so.4", "libtcmalloc.so"},
            "libtcmalloc-minimal4"},
};

/// Where libc is the distribution's libraries are: that folder is the multiarch one, if any.
std::vector<std::string> library_folders() {
  const std::string libc = file_of(reinterpret_cast<const void*>(&::gnu_get_libc_version));
  const std::string folder = libc.substr(0, libc.rfind('/'));
  return {folder, "/usr" + folder, "/usr/local/lib", "/usr/lib64", "/usr/lib", "/opt/lib"};
}

bool same_file(const std::string& one, const std::string& other) {
  std::array<char, PATH_MAX> path;
  const char* real = ::realpath(other.c_str(), path.data());
  return real != nullptr && one == real;
}

}  // namespace

Allocator Allocator::serving(const Environment& environment) {
  Allocator allocator;
  allocator.file_ = file_of("malloc");
  const auto provides = [&allocator](const char* name) {
    const std::string file = file_of(name);
    return !file.empty() && file == allocator.file_;
  };
  if (provides("mallctl")) {
    allocator.family_ = Family::jemalloc;
    const auto version = ask_jemalloc<const char*>(symbol<Mallctl>("mallctl"), "version");
    if (version && *version != nullptr) allocator.version_ = *version;
  } else if (provides("mi_version")) {
    allocator.family_ = Family::mimalloc;
    const int number = symbol<MiVersion>("mi_version")();
    allocator.version_ = fmt::format("{}.{}.{}", number / 100, number / 10 % 10, number % 10);
  } else if (provides("tc_version")) {
    allocator.family_ = Family::tcmalloc;
    int major = 0;
    int minor = 0;
    const char* patch = "";
    const char* text = symbol<TcVersion>("tc_version")(&major, &minor, &patch);
    if (text != nullptr) allocator.version_ = text;
  } else if (provides("gnu_get_libc_version")) {
    allocator.family_ = Family::glibc;
    allocator.version_ = ::gnu_get_libc_version();
  }
  allocator.prove();
  allocator.read_options(environment);
  return allocator;
}

std::string_view Allocator::name() const {
  static constexpr std::array<std::string_view, 5> kNames = {"glibc", "jemalloc", "mimalloc",
                                                             "tcmalloc", "other"};
  return kNames[static_cast<std::size_t>(family_)];
}

void Allocator::prove() {
  const auto before = figures().allocated;
  // Volatile: a compiler may drop a block that nobody uses.
  void* volatile block = std::malloc(kProofBytes);
  if (block == nullptr) return;
  if (family_ == Family::mimalloc) {
    if (const auto is_in_heap = symbol<MiIsInHeap>("mi_is_in_heap_region")) {
      proven_ = is_in_heap(block);
    }
  } else if (const auto after = figures().allocated; before && after) {
    proven_ = *after >= *before + kProofBytes;
  }
  std::free(block);
}

void Allocator::read_options(const Environment& environment) {
  if (family_ == Family::glibc) {
    for (const Tunable& tunable : glibc_tunables(environment)) {
      // The kind heap pins it (memory/heap.cpp), whatever the loader was told.
      const bool overruled = tunable.name == "mmap_threshold";
      append(tunable.value.empty() || overruled ? unproven_ : options_,
             fmt::format("{}={}", tunable.name, tunable.value));
    }
    return;
  }
  if (family_ == Family::jemalloc) {
    const auto mallctl = symbol<Mallctl>("mallctl");
    const char* text = environment("MALLOC_CONF");
    std::string_view left = text == nullptr ? "" : text;
    while (!left.empty()) {
      const std::string item(left.substr(0, left.find(',')));
      left.remove_prefix(std::min(item.size() + 1, left.size()));
      const std::string key = item.substr(0, item.find(':'));
      const std::string asked =
          item.find(':') == std::string::npos ? "" : item.substr(item.find(':') + 1);
      const std::string value = jemalloc_option(mallctl, key);
      if (value.empty()) {
        append(unproven_, fmt::format("{}={}", key, asked));
      } else {
        append(options_, fmt::format("{}={}", key, value));
        if (value != asked) append(unproven_, fmt::format("{}={}", key, asked));
      }
    }
    return;
  }
  const std::string_view prefix = family_ == Family::mimalloc   ? "MIMALLOC_"
                                  : family_ == Family::tcmalloc ? "TCMALLOC_"
                                                                : "";
  for (char** variable = environ; !prefix.empty() && *variable != nullptr; ++variable) {
    if (std::string_view(*variable).starts_with(prefix)) append(unproven_, *variable);
  }
}

HeapFigures Allocator::figures() const {
  HeapFigures figures;
  switch (family_) {
    case Family::glibc: {
#if __GLIBC_PREREQ(2, 33)
      const struct mallinfo2 info = ::mallinfo2();
      figures.allocated = info.uordblks + info.hblkhd;
      figures.mapped = info.arena + info.hblkhd;
      figures.free = info.fordblks;
#endif
      break;
    }
    case Family::jemalloc: {
      const auto mallctl = symbol<Mallctl>("mallctl");
      // Its figures are as of the last epoch.
      std::uint64_t epoch = 1;
      std::size_t size = sizeof epoch;
      mallctl("epoch", &epoch, &size, &epoch, size);
      figures.allocated = ask_jemalloc<std::size_t>(mallctl, "stats.allocated");
      figures.active = ask_jemalloc<std::size_t>(mallctl, "stats.active");
      figures.resident = ask_jemalloc<std::size_t>(mallctl, "stats.resident");
      figures.mapped = ask_jemalloc<std::size_t>(mallctl, "stats.mapped");
      figures.retained = ask_jemalloc<std::size_t>(mallctl, "stats.retained");
      break;
    }
    case Family::mimalloc:
      if (const auto info = symbol<MiProcessInfo>("mi_process_info")) {
        std::size_t commit = 0;
        info(nullptr, nullptr, nullptr, nullptr, nullptr, &commit, nullptr, nullptr);
        figures.mapped = commit;
      }
      break;
    case Family::tcmalloc:
      figures.allocated = ask_tcmalloc("generic.current_allocated_bytes");
      figures.mapped = ask_tcmalloc("generic.heap_size");
      figures.free = ask_tcmalloc("tcmalloc.pageheap_free_bytes");
      figures.retained = ask_tcmalloc("tcmalloc.pageheap_unmapped_bytes");
      break;
    case Family::other:
      break;
  }
  return figures;
}

void Allocator::give_back() const {
  switch (family_) {
    case Family::glibc:
      ::malloc_trim(0);
      break;
    case Family::jemalloc:
      // 4096: all arenas, MALLCTL_ARENAS_ALL.
      symbol<Mallctl>("mallctl")("arena.4096.purge", nullptr, nullptr, nullptr, 0);
      break;
    case Family::mimalloc:
      if (const auto collect = symbol<MiCollect>("mi_collect")) collect(true);
      break;
    case Family::tcmalloc:
      if (const auto release = symbol<TcRelease>("MallocExtension_ReleaseFreeMemory")) release();
      break;
    case Family::other:
      break;
  }
}

Result<std::string> find_allocator(const std::string& name) {
  if (name == "system") return file_of(reinterpret_cast<const void*>(&::gnu_get_libc_version));
  for (const Library& library : kLibraries) {
    if (name != library.name) continue;
    for (const char* file : library.files) {
      for (const std::string& folder : library_folders()) {
        if (file == nullptr) continue;
        const std::string path = folder + "/" + file;
        if (::access(path.c_str(), R_OK) == 0) return path;
      }
    }
    return fail("no " + std::string(library.files[0]) + " on this machine", {},
                "install it (Debian: " + std::string(library.package) + "), or give its path");
  }
  if (name.find('/') == std::string::npos) {
    return fail(
        "unknown allocator '" + name + "'", {},
        "choose one of system, jemalloc, mimalloc, tcmalloc, or give the path of a library");
  }
  if (::access(name.c_str(), R_OK) != 0) return fail_errno("cannot preload it", "");
  return name;
}

Error execute_under(const std::string& library) {
  const auto command = read_file("/proc/self/cmdline");
  if (!command) return command.error();
  std::vector<std::string> words;
  for (std::size_t at = 0; at < command->size();) {
    words.emplace_back(command->c_str() + at);
    at += words.back().size() + 1;
  }
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const char* others = std::getenv("LD_PRELOAD");
  const std::string preload =
      others == nullptr || *others == '\0' ? library : library + ":" + others;
  ::setenv("LD_PRELOAD", preload.c_str(), 1);
  ::setenv(kPreloadedVariable, library.c_str(), 1);
  // By its own path: executed as /proc/self/exe, it would be an "exe" in the kernel's log.
  std::array<char, PATH_MAX> self{};
  if (::readlink("/proc/self/exe", self.data(), self.size() - 1) > 0) {
    ::execv(self.data(), argv.data());
  }
  ::execv("/proc/self/exe", argv.data());
  return Error{std::string("cannot execute leaksim anew: ") + std::strerror(errno), library};
}

Result<void> ensure_allocator(const std::string& name, const Environment& environment,
                              Error (*preload)(const std::string& library)) {
  const auto library = find_allocator(name);
  if (!library) return fail(library.error());
  const std::string where = *library == name ? "" : *library;
  const Allocator now = Allocator::serving(environment);
  if (same_file(now.file(), *library)) {
    if (now.proven().value_or(true)) return {};
    return fail("malloc is bound to it, and a block from malloc does not show in its figures",
                where);
  }
  if (name == "system") {
    return fail("malloc is served by " + now.file(), {}, "unset LD_PRELOAD");
  }
  const char* before = environment(kPreloadedVariable);
  if (before == nullptr || *before == '\0') return fail(preload(*library));
  return fail("was preloaded, and malloc is still served by " + now.file(), where,
              "give a library that defines malloc, built for this machine");
}

}  // namespace oomdrill::simulator
