#include "recorder/ring_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace oomdrill::probe {
namespace {

constexpr std::string_view kMagic = "oomprobe recorder 1\n";
constexpr std::size_t kStateAt = 1024;
constexpr std::size_t kStateSpacing = 1024;

struct Geometry {
  std::uint32_t slot = RingFile::kSlot;
  std::uint32_t slots = 0;
};

struct SlotHead {
  std::uint64_t number = 0;  ///< counts all slots ever written, from 1; 0: never, or being written
  std::uint32_t checksum = 0;
  std::uint16_t size = 0;
  std::uint8_t part = 0;
  std::uint8_t parts = 0;
};
constexpr std::size_t kPayload = RingFile::kSlot - sizeof(SlotHead);

struct StateRecord {
  RunState state;
  std::uint32_t checksum = 0;
};

/// FNV-1a: tells a slot that was half written, not a malicious one.
std::uint32_t hash(std::span<const char> bytes, std::uint32_t seed = 2166136261U) {
  for (const char c : bytes) seed = (seed ^ static_cast<unsigned char>(c)) * 16777619U;
  return seed;
}

std::uint32_t checksum(const SlotHead& head, std::span<const char> payload) {
  std::array<char, sizeof head.number + 4> id{};
  std::memcpy(id.data(), &head.number, sizeof head.number);
  std::memcpy(id.data() + sizeof head.number, &head.size, sizeof head.size);
  id[sizeof head.number + 2] = static_cast<char>(head.part);
  id[sizeof head.number + 3] = static_cast<char>(head.parts);
  return hash(payload, hash(id));
}

std::uint32_t checksum(const RunState& state) {
  std::array<char, sizeof state> bytes{};
  std::memcpy(bytes.data(), &state, sizeof state);
  return hash(bytes);
}

template <class T>
T load(std::span<const char> bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::optional<Geometry> geometry_of(std::span<const char> bytes) {
  if (bytes.size() < RingFile::kHeader || std::string_view(bytes.data(), kMagic.size()) != kMagic) {
    return std::nullopt;
  }
  const auto geometry = load<Geometry>(bytes, 64);
  if (geometry.slot != RingFile::kSlot || geometry.slots == 0 ||
      bytes.size() < RingFile::kHeader + std::size_t{geometry.slots} * RingFile::kSlot) {
    return std::nullopt;
  }
  return geometry;
}

std::span<const char> slot_at(std::span<const char> bytes, std::size_t index) {
  return bytes.subspan(RingFile::kHeader + index * RingFile::kSlot, RingFile::kSlot);
}

/// nullopt: never written, or not to its end.
std::optional<SlotHead> head_of(std::span<const char> slot) {
  const auto head = load<SlotHead>(slot, 0);
  if (head.number == 0 || head.size > kPayload || head.part >= head.parts) return std::nullopt;
  if (checksum(head, slot.subspan(sizeof head, head.size)) != head.checksum) return std::nullopt;
  return head;
}

std::optional<RunState> last_state(std::span<const char> bytes) {
  std::optional<RunState> found;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto record = load<StateRecord>(bytes, kStateAt + i * kStateSpacing);
    if (record.state.number == 0 || checksum(record.state) != record.checksum) continue;
    if (!found || record.state.number > found->number) found = record.state;
  }
  return found;
}

tl::unexpected<Error> refuse(const std::string& path) {
  return fail("is no flight recorder of oomprobe", path, "name another file, or remove this one");
}

/// Nothing but zeros, or empty: what a start leaves that was killed before it wrote the header.
bool is_zeros(int fd) {
  std::array<char, 16384> part;
  for (off_t at = 0;;) {
    const auto size = ::pread(fd, part.data(), part.size(), at);
    if (size <= 0) return size == 0;
    if (std::any_of(part.begin(), part.begin() + size, [](char byte) { return byte != 0; })) {
      return false;
    }
    at += size;
  }
}

}  // namespace

Result<RingFile> RingFile::open(const std::string& path, std::uint64_t bytes) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  const std::string remedy = "name a file in a folder that is writable and outlives the container";
  if (!fd) return fail_errno("cannot open the flight recorder", path, remedy);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail("is in use by another oomprobe", path, "give each its own --recorder");
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail_errno("cannot use", path);
  if (!S_ISREG(status.st_mode)) return refuse(path);
  std::uint64_t size = static_cast<std::uint64_t>(status.st_size);
  const bool fresh = size <= kMostSize && is_zeros(fd.get());
  if (fresh) {
    (void)::ftruncate(fd.get(), 0);
    size = kHeader + std::max((bytes - kHeader) / kSlot, std::uint64_t{1}) * kSlot;
    // Blocks that exist: a store to a hole on a full disk is a SIGBUS.
    if (const int error = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(size)); error != 0) {
      (void)::ftruncate(fd.get(), 0);
      errno = error;
      return fail_errno("cannot reserve " + format_bytes(size) + " for the flight recorder", path,
                        "free space, or give a smaller --recorder-size");
    }
  } else if (size < kHeader || size > kMostSize) {
    return refuse(path);
  }
  void* const map =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd.get(), 0);
  if (map == MAP_FAILED) return fail_errno("cannot map the flight recorder", path, remedy);
  RingFile file(std::move(fd), {static_cast<char*>(map), size});
  if (fresh) {
    const Geometry geometry{.slot = kSlot,
                            .slots = static_cast<std::uint32_t>((size - kHeader) / kSlot)};
    std::memcpy(file.map_.data() + 64, &geometry, sizeof geometry);
    std::memcpy(file.map_.data(), kMagic.data(), kMagic.size());
    return file;
  }
  const auto geometry = geometry_of(file.map_);
  if (!geometry) return refuse(path);
  file.map_ = file.map_.first(kHeader + std::size_t{geometry->slots} * kSlot);
  for (std::size_t i = 0; i < geometry->slots; ++i) {
    if (const auto head = head_of(slot_at(file.map_, i))) {
      file.next_ = std::max(file.next_, head->number + 1);
    }
  }
  file.previous_ = last_state(file.map_);
  if (file.previous_) file.updates_ = file.previous_->number;
  return file;
}

RingFile::RingFile(Fd fd, std::span<char> map) : fd_(std::move(fd)), map_(map) {}

RingFile::RingFile(RingFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      map_(std::exchange(other.map_, {})),
      next_(other.next_),
      updates_(other.updates_),
      previous_(other.previous_) {}

RingFile::~RingFile() {
  if (!map_.empty()) ::munmap(map_.data(), map_.size());
}

bool RingFile::write(std::span<const char> line) {
  const std::size_t slots = (map_.size() - kHeader) / kSlot;
  const std::size_t parts = std::max((line.size() + kPayload - 1) / kPayload, std::size_t{1});
  if (parts > slots || parts > 255) return false;
  for (std::size_t part = 0; part < parts; ++part) {
    const auto payload =
        line.subspan(part * kPayload, std::min(kPayload, line.size() - part * kPayload));
    SlotHead head;
    head.number = next_++;
    head.size = static_cast<std::uint16_t>(payload.size());
    head.part = static_cast<std::uint8_t>(part);
    head.parts = static_cast<std::uint8_t>(parts);
    head.checksum = checksum(head, payload);
    char* const slot = map_.data() + kHeader + head.number % slots * kSlot;
    // A SIGKILL between two stores leaves a slot that its checksum disowns.
    std::memcpy(slot + sizeof head, payload.data(), payload.size());
    std::atomic_signal_fence(std::memory_order_release);
    std::memcpy(slot, &head, sizeof head);
  }
  return true;
}

void RingFile::update(RunState state) {
  StateRecord record;
  state.number = ++updates_;
  std::memcpy(&record.state, &state, sizeof state);
  record.checksum = checksum(record.state);
  std::memcpy(map_.data() + kStateAt + updates_ % 2 * kStateSpacing, &record, sizeof record);
}

Result<std::vector<std::string>> read_ring(std::span<const char> bytes, std::string_view where) {
  const auto geometry = geometry_of(bytes);
  if (!geometry) return refuse(std::string(where));
  std::vector<std::pair<SlotHead, std::size_t>> slots;
  for (std::size_t i = 0; i < geometry->slots; ++i) {
    if (const auto head = head_of(slot_at(bytes, i))) slots.emplace_back(*head, i);
  }
  std::sort(slots.begin(), slots.end(),
            [](const auto& a, const auto& b) { return a.first.number < b.first.number; });
  std::vector<std::string> lines;
  std::string line;
  std::size_t expected = 0;  // part
  std::uint64_t number = 0;
  for (const auto& [head, index] : slots) {
    // The oldest line may have lost its beginning, one that was being written its end.
    if (head.part == 0) {
      line.clear();
    } else if (head.part != expected || head.number != number + 1) {
      expected = 256;
      continue;
    }
    line.append(slot_at(bytes, index).data() + sizeof head, head.size);
    number = head.number;
    expected = std::size_t{head.part} + 1;
    if (expected == head.parts) lines.push_back(line);
  }
  return lines;
}

}  // namespace oomdrill::probe
