#include "recording/record.h"

#include <algorithm>

namespace oomdrill::recording {

const Member* Record::search(std::string_view path) const {
  std::int32_t parent = Member::kRoot;
  for (;;) {
    const std::size_t dot = path.find('.');
    const std::string_view key = path.substr(0, dot);
    const std::uint64_t tag = Member::tag_of(key);
    const auto found = std::find_if(members_.begin(), members_.end(), [&](const Member& member) {
      return member.tag == tag && member.parent == parent && same(member.key, key);
    });
    if (found == members_.end()) return nullptr;
    if (dot == std::string_view::npos) return &*found;
    if (found->type != Member::Type::object) return nullptr;
    parent = static_cast<std::int32_t>(found - members_.begin());
    path.remove_prefix(dot + 1);
  }
}

std::optional<double> Record::real(Path path) const {
  const Member* member = find(path);
  if (member == nullptr || member->type != Member::Type::number) return std::nullopt;
  return real_of(member->text);
}

std::optional<bool> Record::boolean(Path path) const {
  const Member* member = find(path);
  if (member == nullptr || member->type != Member::Type::boolean) return std::nullopt;
  return member->text == "true";
}

std::optional<std::string_view> Record::text(Path path) const {
  const Member* member = find(path);
  if (member == nullptr || member->type != Member::Type::text) return std::nullopt;
  return member->text;
}

}  // namespace oomdrill::recording
