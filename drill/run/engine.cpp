#include "run/engine.h"

#include <array>

namespace oomdrill::run {
namespace {

constexpr std::array kEngines = {
    Engine{"cgroup", "a cgroup of its own; needs root, or a delegated cgroup", false,
           make_cgroup_room},
    Engine{"systemd", "a transient scope of the user's systemd; cgroup v2 without root", false,
           make_systemd_room},
    Engine{"docker", "a container of --image", true, make_docker_room},
};

}  // namespace

std::span<const Engine> engines() { return kEngines; }

Result<Choice> choose_engine(std::string_view name, const Wish& wish) {
  Choice choice;
  std::string known = "auto";
  std::string reasons;
  Error last;
  bool is_known = name == "auto";
  for (const Engine& engine : kEngines) {
    known += ", " + std::string(engine.name);
    if (name != "auto" && name != engine.name) continue;
    is_known = true;
    auto room = engine.make(wish);
    if (room) {
      choice.engine = &engine;
      choice.room = std::move(*room);
      return choice;
    }
    last = room.error();
    reasons += (reasons.empty() ? "" : "; ") + std::string(engine.name) + ": " + last.line();
    choice.refused.emplace_back(engine.name, last.line());
  }
  if (!is_known) {
    return fail("'" + std::string(name) + "' is no engine", "--engine", "known: " + known);
  }
  if (name != "auto") return fail(std::move(last).within("--engine " + std::string(name)));
  return fail("no engine works here", {}, reasons);
}

}  // namespace oomdrill::run
