// The flight recorder: whatever a file holds, only whole lines come out of it.
#include <cstddef>
#include <cstdint>
#include <string>

#include "recorder/ring_file.h"
#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using oomdrill::probe::RingFile;
  // A valid header, so that the input is slots.
  std::string bytes(RingFile::kHeader, '\0');
  const std::string magic = "oomprobe recorder 1\n";
  bytes.replace(0, magic.size(), magic);
  const auto slots = static_cast<unsigned char>((size + RingFile::kSlot - 1) / RingFile::kSlot);
  bytes[64] = 0;
  bytes[65] = static_cast<char>(RingFile::kSlot >> 8);
  bytes[68] = static_cast<char>(slots);
  bytes.append(reinterpret_cast<const char*>(data), size);
  bytes.resize(RingFile::kHeader + slots * RingFile::kSlot);
  const auto lines = oomdrill::probe::read_ring(bytes, "input");
  OOMDRILL_REQUIRE(lines.has_value() == (slots > 0));
  if (lines) {
    for (const auto& line : *lines) OOMDRILL_REQUIRE(line.size() <= bytes.size());
  }
  const std::string raw(reinterpret_cast<const char*>(data), size);
  (void)oomdrill::probe::read_ring(raw, "input");
  return 0;
}
