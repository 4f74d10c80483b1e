#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "container.h"
#include "memory/memory.h"
#include "options.h"
#include "outcome.h"
#include "pacer.h"
#include "plan/plan.h"

/// From settings to the parts of a leak.
namespace oomdrill::simulator {

/// What suits the pattern, or what was asked for where that does. Error: a usage error, or why
/// this machine cannot.
Outcome<memory::Choice> set_up_kind(std::span<const memory::Kind> kinds, const Settings& settings);

/// The plan, or the part of it that worker `number` (from 1 on) carries out, held against the time.
/// Error: a usage error.
Outcome<Pacer> set_up_pacer(const Settings& settings, std::uint64_t number);

/// The usage at which growth ends; nullopt: it does not.
Outcome<std::optional<std::uint64_t>> resolve_target(const Settings& settings,
                                                     const Container& container);

/// Of what is written: no two runs write the same.
std::uint64_t random_seed();

}  // namespace oomdrill::simulator
