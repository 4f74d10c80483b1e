#include "recording/record.h"

#include <algorithm>
#include <cmath>

namespace oomdrill::recording {

namespace {

/// The tags are equal, which settles keys of up to seven bytes.
bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.size() < 8 || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace

const Member* Record::find(std::string_view path) const {
  // A name of the root, as most are: without looking for dots first.
  const std::uint64_t whole_tag = Member::tag_of(path);
  if (const std::uint8_t place = index_->first[MemberIndex::slot(whole_tag)]; place != 0) {
    const Member& member = members_[place - 1U];
    if (member.tag == whole_tag && same(member.key, path)) return &member;
  } else if (!index_->full && path.find('.') == std::string_view::npos) {
    return nullptr;
  }
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
