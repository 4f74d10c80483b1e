#include "recording/record.h"

#include <cmath>

namespace oomdrill::recording {

const Member* Record::find(std::string_view path) const {
  std::int32_t parent = Member::kRoot;
  for (;;) {
    const std::size_t dot = path.find('.');
    const std::string_view key = path.substr(0, dot);
    const Member* found = nullptr;
    const std::uint64_t tag = Member::tag_of(key);
    const std::size_t count = members_.size();
    for (std::size_t i = 0, at = hint_; i < count; ++i, ++at) {
      if (at >= count) at = 0;
      const Member& member = members_[at];
      if (member.tag == tag && member.parent == parent && member.key == key) {
        found = &member;
        hint_ = at + 1;
        break;
      }
    }
    if (found == nullptr || dot == std::string_view::npos) return found;
    if (found->type != Member::Type::object) return nullptr;
    parent = static_cast<std::int32_t>(found - members_.data());
    path.remove_prefix(dot + 1);
  }
}

std::optional<std::uint64_t> Record::whole(std::string_view path) const {
  const Member* member = find(path);
  if (member == nullptr) return std::nullopt;
  if (member->type == Member::Type::whole) return member->whole;
  const double value = member->real;
  if (member->type != Member::Type::real || !(value >= 0 && value < 1.8e19) ||
      std::floor(value) != value) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(value);
}

std::optional<double> Record::real(std::string_view path) const {
  const Member* member = find(path);
  if (member == nullptr) return std::nullopt;
  switch (member->type) {
    case Member::Type::whole:
    case Member::Type::negative:
    case Member::Type::real:
      return member->real;
    default:
      return std::nullopt;
  }
}

std::optional<bool> Record::boolean(std::string_view path) const {
  const Member* member = find(path);
  if (member == nullptr || member->type != Member::Type::boolean) return std::nullopt;
  return member->whole != 0;
}

std::optional<std::string_view> Record::text(std::string_view path) const {
  const Member* member = find(path);
  if (member == nullptr || member->type != Member::Type::text) return std::nullopt;
  return member->text;
}

}  // namespace oomdrill::recording
