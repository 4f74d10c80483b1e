#pragma once

#include <memory>
#include <string>

#include "base/file.h"
#include "memory/memory.h"

/// Bytes written to files that have no name, so that none outlives leaksim.
namespace oomdrill::memory {

struct Store {
  std::string directory;   ///< empty: memfd_create
  bool write_out = false;  ///< wait until the disk has them, so that their pages are clean
  std::string full_help;   ///< what to do where the file system is full
};

std::unique_ptr<Memory> make_files(Store store, Content content);

/// A file without a name in `directory`. Error: why there can be none.
Result<Fd> open_nameless(const std::string& directory);

/// Whether `directory` is on a file system that lives in memory. Error: it cannot be asked.
Result<bool> is_tmpfs(const std::string& directory);

}  // namespace oomdrill::memory
