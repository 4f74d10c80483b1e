#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "cgroup/reader.h"
#include "run/engine.h"

namespace oomdrill::run {

/// Reads a cgroup from outside through descriptors that are held open.
class CgroupWatch {
 public:
  static Result<CgroupWatch> open(const cgroup::Location& location);
  [[nodiscard]] Result<Observation> observe() const;
  [[nodiscard]] int events_fd() const { return reader_.events_fd(); }
  [[nodiscard]] const cgroup::Location& location() const { return reader_.location(); }

 private:
  explicit CgroupWatch(cgroup::Reader reader) : reader_(std::move(reader)) {}
  cgroup::Reader reader_;
};

}  // namespace oomdrill::run
