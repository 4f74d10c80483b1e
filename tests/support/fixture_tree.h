#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/file.h"

namespace oomdrill::test {

/// A folder that stands for the machine's root, declared inside the test that needs it.
class FixtureTree {
 public:
  FixtureTree() {
    std::string name = (std::filesystem::temp_directory_path() / "oomdrill-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    path_ = name;
  }
  ~FixtureTree() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  FixtureTree(const FixtureTree&) = delete;
  FixtureTree& operator=(const FixtureTree&) = delete;

  /// `path` is absolute within the tree; folders are made.
  FixtureTree& file(std::string_view path, std::string_view content) {
    const std::filesystem::path full = path_ + std::string(path);
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full, std::ios::binary | std::ios::trunc) << content;
    return *this;
  }
  FixtureTree& remove(std::string_view path) {
    std::filesystem::remove(path_ + std::string(path));
    return *this;
  }
  [[nodiscard]] FileRoot root() const { return FileRoot(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace oomdrill::test
