// No text makes a parser read outside of it, whatever it answers. The text stands between two pages
// that cannot be read, flush with one and then with the other, so this holds without a sanitizer.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <stdexcept>

#include "cgroup/limit.h"
#include "mountinfo.h"
#include "pressure.h"
#include "proc_cgroup.h"
#include "text.h"
#include "v1/parse.h"
#include "v2/parse.h"

namespace oomdrill::cgroup {
namespace {

class Fence {
 public:
  Fence() {
    base_ = ::mmap(nullptr, 3 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base_ == MAP_FAILED || ::mprotect(first(), page_, PROT_READ | PROT_WRITE) != 0) {
      throw std::runtime_error("mmap");
    }
  }
  ~Fence() { ::munmap(base_, 3 * page_); }
  Fence(const Fence&) = delete;
  Fence& operator=(const Fence&) = delete;

  [[nodiscard]] std::size_t size() const { return page_; }
  [[nodiscard]] std::string_view at_start(std::string_view text) const {
    return put(first(), text);
  }
  [[nodiscard]] std::string_view at_end(std::string_view text) const {
    return put(first() + page_ - text.size(), text);
  }

 private:
  [[nodiscard]] char* first() const { return static_cast<char*>(base_) + page_; }
  static std::string_view put(char* to, std::string_view text) {
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }
  std::size_t page_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* base_ = nullptr;
};

/// Every parser; how many of them took the text.
int parse_all(std::string_view text) {
  int taken = 0;
  const auto count = [&taken](const auto& result) {
    if (result) {
      ++taken;
    } else {
      const std::string line = result.error().line();
      EXPECT_FALSE(line.empty());
      EXPECT_LT(line.size(), 200u) << line;
      EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    }
  };
  count(parse_number(text, "f"));
  count(parse_limit(text, "f"));
  count(parse_mem_total(text, "f"));
  count(parse_mountinfo(text, "f"));
  count(parse_proc_cgroup(text, "f"));
  count(parse_pressure(text, "f"));
  count(v1::parse_stat(text, "f"));
  count(v1::parse_oom_control(text, "f"));
  count(v2::parse_stat(text, "f"));
  count(v2::parse_events(text, "f"));
  container_id_of(text);
  ecs_task_id_of(text);
  return taken;
}

const std::string_view kTexts[] = {
    "",
    "67108864\n",
    "max\n",
    "MemTotal:       24683620 kB\nMemFree:        1 kB\n",
    ("34 30 0:31 /a\\040b /mnt/c\\134 ro shared:7 - cgroup cgroup rw,cpu,memory\n"
     "35 30 0:32 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
    ("4:memory:/ecs/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-1\n0::/../"
     "docker-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.scope\n"),
    ("some avg10=1.00 avg60=2.00 avg300=3.00 total=4\nfull avg10=0.50 avg60=0.25 avg300=0.00 "
     "total=2\n"),
    "cache 1\nrss 2\ntotal_cache 10\ntotal_rss 20\nhierarchical_memory_limit 67108864\n",
    "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    "low 0\nhigh 0\nmax 5\noom 2\noom_kill 3\noom_group_kill 1\n",
    "anon 300\nfile 600\ninactive_file 200\nkernel 50\n",
};

TEST(Hostile, EveryParserTakesItsOwnText) {
  int taken = 0;
  for (const std::string_view text : kTexts) taken += parse_all(text);
  EXPECT_GE(taken, 10);
}

TEST(Hostile, EveryPrefixStaysInside) {
  const Fence fence;
  for (const std::string_view text : kTexts) {
    for (std::size_t size = 0; size <= text.size(); ++size) {
      parse_all(fence.at_start(text.substr(0, size)));
      parse_all(fence.at_end(text.substr(0, size)));
      parse_all(fence.at_end(text.substr(size)));
    }
  }
}

TEST(Hostile, EveryMutationStaysInside) {
  const Fence fence;
  std::mt19937 random(20261124);  // NOLINT(cert-msc51-cpp): the same texts in every run
  const auto below = [&random](std::size_t n) { return random() % n; };
  // What parsers look for, and what they do not expect.
  constexpr std::string_view marks("\n :/-=,\\.09x\xff\r\t\0", 16);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(kTexts[below(std::size(kTexts))]);
    for (std::size_t edits = below(8) + 1; edits > 0; --edits) {
      const std::size_t at = below(text.size() + 1);
      switch (below(4)) {
        case 0:
          text.insert(at, 1, marks[below(marks.size())]);
          break;
        case 1:
          text.erase(at, below(6));
          break;
        case 2:
          if (at < text.size()) text[at] = marks[below(marks.size())];
          break;
        default:
          text.insert(at, std::string(text, 0, below(text.size() + 1)));
      }
      text.resize(std::min(text.size(), fence.size()));
    }
    parse_all(fence.at_start(text));
    parse_all(fence.at_end(text));
  }
}

}  // namespace
}  // namespace oomdrill::cgroup
