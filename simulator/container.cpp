#include "container.h"

#include <algorithm>
#include <array>

#include "identity/identity.h"

namespace oomdrill::simulator {
namespace {

constexpr double kHostShare = 0.9;

/// leaksim itself needs 0.4 MiB (measured, v1), and a leak that ends within two seconds shows
/// nothing.
constexpr std::uint64_t kLeastRoom = 2 << 20;

constexpr std::array<std::string_view, 4> kBasisNames = {"current", "working-set", "anon", "ecs"};

}  // namespace

std::string_view name(Basis basis) { return kBasisNames[static_cast<std::size_t>(basis)]; }

Result<Basis> parse_basis(std::string_view text) {
  for (std::size_t i = 0; i < kBasisNames.size(); ++i) {
    if (text == kBasisNames[i]) return static_cast<Basis>(i);
  }
  return fail("'" + std::string(text) + "' is no reading of a cgroup", {},
              "choose one of current, working-set, anon, ecs");
}

Result<Container> Container::open(const FileRoot& root, const std::optional<ecs::Task>& task) {
  const auto location = cgroup::locate(root);
  if (!location) return fail(location.error());
  auto candidates = cgroup::collect_limits(root, *location);
  if (!candidates) return fail(candidates.error());
  if (task) identity::add_limits(*task, *candidates);
  auto reader = cgroup::Reader::open(root, *location);
  if (!reader) return fail(reader.error());
  Container container(std::move(*reader),
                      cgroup::resolve_limit(std::move(*candidates), location->ancestors_hidden));
  // Once with memory.stat, which is dear (allocators.md); the loop needs the usage only.
  if (auto status = container.reader_.read(container.sample_, {.stat = true, .pressure = false});
      !status) {
    return fail(status.error());
  }
  return container;
}

Result<void> Container::refresh(Basis basis) {
  return reader_.read(sample_, {.stat = basis != Basis::current, .pressure = false});
}

std::optional<std::uint64_t> Container::reading(Basis basis) const {
  switch (basis) {
    case Basis::current:
      break;
    case Basis::working_set:
      return cgroup::working_set(sample_);
    case Basis::anon:
      return sample_.stat.anon;
    case Basis::ecs:
      return cgroup::ecs_used(sample_, location().version);
  }
  return sample_.current;
}

std::optional<std::uint64_t> Container::oom_kills() {
  if (!reader_.read_counters(sample_)) return std::nullopt;
  return sample_.deciding().oom_kill;
}

Result<void> Container::refresh_all() {
  return reader_.read(sample_, {.stat = true, .pressure = false});
}

std::optional<std::uint64_t> Container::limit() const {
  if (!limit_.is_cgroup_limit()) return std::nullopt;
  if (limit_.source == cgroup::LimitSource::own && sample_.limit) return sample_.limit;
  return limit_.bytes;
}

std::optional<std::uint64_t> Container::host_memory() const {
  for (const cgroup::LimitCandidate& candidate : limit_.considered) {
    if (candidate.source == cgroup::LimitSource::host) return candidate.bytes;
  }
  return std::nullopt;
}

Result<void> check_room(const Container& container, bool allow_unlimited) {
  const auto limit = container.limit();
  const auto host = container.host_memory();
  const char* remedy =
      "run it below one (oomdrill run -m 64MiB -- …, or docker run --memory=512m …), or pass "
      "--allow-unlimited";
  if (!limit) {
    if (allow_unlimited) return {};
    // One that is above the host's memory binds nothing.
    const auto& considered = container.effective().considered;
    const auto vain = std::find_if(considered.begin(), considered.end(), [](const auto& each) {
      return each.source != cgroup::LimitSource::host && each.bytes;
    });
    if (vain != considered.end()) {
      return fail("the memory limit of " + format_bytes(*vain->bytes) +
                      " is above the host's memory: the leak would exhaust the whole host",
                  vain->where, remedy);
    }
    return fail(container.effective().complete
                    ? "no memory limit: the leak would exhaust the whole host"
                    : "no memory limit is visible, though one above this cgroup may bind",
                container.location().directory, remedy);
  }
  const double share =
      host && *host > 0 ? static_cast<double>(*limit) / static_cast<double>(*host) : 0;
  if (share >= kHostShare && !allow_unlimited) {
    return fail(fmt::format("the memory limit of {} is {:.0f} % of the host's memory: the leak "
                            "would exhaust the whole host",
                            format_bytes(*limit), 100 * share),
                container.effective().where, remedy);
  }
  if (container.needed() + kLeastRoom > *limit) {
    return fail(
        fmt::format("the memory limit of {} leaves no room for a leak: {} are in use",
                    format_bytes(*limit), format_bytes(container.needed())),
        container.effective().where,
        fmt::format("raise it to {} at least", format_bytes(container.needed() + 2 * kLeastRoom)));
  }
  return {};
}

}  // namespace oomdrill::simulator
