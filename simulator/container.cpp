#include "container.h"

#include "identity/identity.h"

namespace oomdrill::simulator {
namespace {

constexpr double kHostShare = 0.9;

/// leaksim itself needs 0.4 MiB (measured, v1), and a leak that ends within two seconds shows
/// nothing.
constexpr std::uint64_t kLeastRoom = 2 << 20;

}  // namespace

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

Result<void> Container::refresh() {
  return reader_.read(sample_, {.stat = false, .pressure = false});
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
      "run it in a container with a limit (docker run --memory=512m), or pass --allow-unlimited";
  if (!limit) {
    if (allow_unlimited) return {};
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
