#pragma once

namespace oomdrill::drill {

/// What `oomdrill` exits with; sysexits(3) where it has a number.
enum class ExitCode : int {
  as_expected = 0,
  otherwise = 1,       ///< the drill ended, but not as --expect says, or its evidence disagrees
  usage = 64,          ///< bad option, bad value, missing command; also leaksim's own
  data_error = 65,     ///< no event in a recording; alarms that CloudWatch would refuse
  no_input = 66,       ///< a recording or an alarm file cannot be read
  unavailable = 69,    ///< no engine works here; the programs are missing; leaksim refuses
  internal = 70,       ///< a system call failed that should not
  cannot_create = 73,  ///< the recording cannot be opened
  io_error = 74        ///< the recording, or the output, could not be written to its end
};

}  // namespace oomdrill::drill
