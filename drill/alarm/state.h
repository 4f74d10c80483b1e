#pragma once

#include <string_view>

namespace oomdrill::alarm {

enum class State { ok, alarm, insufficient_data };

constexpr std::string_view name(State state) {
  switch (state) {
    case State::ok:
      return "OK";
    case State::alarm:
      return "ALARM";
    case State::insufficient_data:
      return "INSUFFICIENT_DATA";
  }
  return "INSUFFICIENT_DATA";
}

}  // namespace oomdrill::alarm
