#include "mountinfo.h"

#include "text.h"

namespace oomdrill::cgroup {
namespace {

/// The kernel writes space, tab, newline, backslash and '#' as three octal digits.
std::string unescape(std::string_view text) {
  const auto octal = [text](std::size_t i) { return text[i] >= '0' && text[i] <= '7'; };
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] <= '3' && octal(i + 1) &&
        octal(i + 2) && octal(i + 3)) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                               (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

bool Mount::read_only() const { return list_has(options, "ro") || list_has(super_options, "ro"); }

Result<std::vector<Mount>> parse_mountinfo(std::string_view text, std::string_view where) {
  std::vector<Mount> mounts;
  Lines lines(text);
  while (const auto line = lines.next()) {
    // "36 35 98:0 ROOT POINT OPTIONS [optional fields…] - TYPE SOURCE SUPER_OPTIONS". A source may
    // be empty, so the super options are counted from the end.
    const std::size_t dash = line->find(" - ");
    if (dash == std::string_view::npos) {
      return fail_line(where, lines.number(), *line, "is no mount");
    }
    std::string_view before = line->substr(0, dash);
    std::string_view after = line->substr(dash + 3);
    for (int skipped = 0; skipped < 3; ++skipped) cut(before, ' ');
    Mount mount;
    mount.root = unescape(cut(before, ' '));
    mount.point = unescape(cut(before, ' '));
    mount.options = cut(before, ' ');
    mount.type = cut(after, ' ');
    mount.super_options = after.substr(after.rfind(' ') + 1);
    if (!mount.root.starts_with('/') || !mount.point.starts_with('/')) {
      // "mnt:[4026531840]" is the root of a mounted namespace file.
      if (!mount.is_v1() && !mount.is_v2()) continue;
      return fail_line(where, lines.number(), *line, "is no mount");
    }
    std::erase_if(mounts, [&mount](const Mount& earlier) { return earlier.point == mount.point; });
    mounts.push_back(std::move(mount));
  }
  std::erase_if(mounts, [](const Mount& mount) { return !mount.is_v1() && !mount.is_v2(); });
  return mounts;
}

}  // namespace oomdrill::cgroup
