#include "allocator.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tunables.h"

namespace oomdrill::simulator {
namespace {

const char* nothing(const char*) { return nullptr; }

// This program has a malloc of its own, for allocation_test.cpp, or a sanitizer's: none that is
// known. The known ones are seen in tests/cli/test_control.py.
TEST(Allocator, IsFoundByWhatMallocIsBoundTo) {
  const Allocator allocator = Allocator::serving(nothing);
  EXPECT_EQ(allocator.name(), "other");
  EXPECT_FALSE(allocator.file().empty());
  EXPECT_NE(allocator.file(), *find_allocator("system"));
  EXPECT_EQ(allocator.proven(), std::nullopt);
  EXPECT_EQ(allocator.options(), "");
  EXPECT_EQ(allocator.figures().allocated, std::nullopt);
}

TEST(Allocator, SystemIsNeverPreloaded) {
  const auto status = ensure_allocator("system", nothing, [](const std::string& library) {
    ADD_FAILURE() << library;
    return Error{"called"};
  });
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().line().find("malloc is served by "), std::string::npos);
  EXPECT_EQ(status.error().remedy, "unset LD_PRELOAD");
}

TEST(Allocator, AnotherIsPreloadedOnce) {
  static std::string asked;
  asked.clear();
  const auto preload = [](const std::string& library) {
    asked = library;
    return Error{"executed"};
  };
  const std::string libc = *find_allocator("system");
  const std::string path = libc.substr(0, libc.rfind('/')) + "/libm.so.6";
  auto status = ensure_allocator(path, nothing, preload);
  ASSERT_FALSE(status);
  EXPECT_EQ(asked, path);
  EXPECT_EQ(status.error().what, "executed");
  // Under the preload: libm defines no malloc.
  asked.clear();
  const auto preloaded = [](const char* name) -> const char* {
    return std::string_view(name) == kPreloadedVariable ? "1" : nullptr;
  };
  status = ensure_allocator(path, preloaded, preload);
  ASSERT_FALSE(status);
  EXPECT_EQ(asked, "");
  EXPECT_NE(status.error().line().find("was preloaded, and malloc is still served by"),
            std::string::npos)
      << status.error().line();
}

TEST(Allocator, ThatIsNotThere) {
  EXPECT_NE(find_allocator("/no/such/library.so").error().line().find("cannot preload it"),
            std::string::npos);
  EXPECT_NE(find_allocator("malloc").error().line().find("choose one of system, jemalloc"),
            std::string::npos);
}

TEST(Tunables, OfMallocInTheEnvironment) {
  EXPECT_EQ(malloc_tunables_in("glibc.malloc.arena_max=1:glibc.rtld.nns=4:glibc.malloc.check=3"),
            (std::vector<std::string>{"arena_max", "check"}));
  for (const char* text : {"", ":", "::=", "glibc.malloc.", "glibc.malloc.x", "=1"}) {
    EXPECT_TRUE(malloc_tunables_in(text).empty()) << text;
  }
}

TEST(Tunables, InTheLoadersList) {
  constexpr std::string_view kList =
      "glibc.rtld.nns: 0x4 (min: 0x1, max: 0x10)\n"
      "glibc.malloc.arena_max: 0x1 (min: 0x1, max: 0xffffffffffffffff)\n"
      "glibc.malloc.check: 3 (min: 0, max: 3)\n"
      "glibc.malloc.cut: ";
  EXPECT_EQ(value_in_list(kList, "arena_max"), "0x1");
  EXPECT_EQ(value_in_list(kList, "check"), "3");
  EXPECT_EQ(value_in_list(kList, "cut"), "");
  EXPECT_EQ(value_in_list(kList, "max"), "");
  EXPECT_EQ(value_in_list("", "check"), "");
}

TEST(Tunables, AreAskedOfTheLoader) {
  ::setenv("GLIBC_TUNABLES", "glibc.malloc.arena_max=3", 1);
  ::setenv("MALLOC_TOP_PAD_", "4096", 1);
  const auto tunables =
      glibc_tunables([](const char* name) -> const char* { return ::getenv(name); });
  ::unsetenv("GLIBC_TUNABLES");
  ::unsetenv("MALLOC_TOP_PAD_");
  ASSERT_EQ(tunables.size(), 2u);
  EXPECT_EQ(tunables[0].name, "arena_max");
  EXPECT_EQ(tunables[0].value, "0x3");
  EXPECT_EQ(tunables[1].name, "top_pad");
  EXPECT_EQ(tunables[1].value, "0x1000");
}

}  // namespace
}  // namespace oomdrill::simulator
