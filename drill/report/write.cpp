#include "report/write.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/file.h"

namespace oomdrill::report {

Result<Format> format_of(const std::string& name, const std::string& path) {
  if (name == "html") return Format::html;
  if (name == "markdown") return Format::markdown;
  if (name == "json") return Format::json;
  if (!name.empty()) return fail("'" + name + "' is no format", {}, "known: html, markdown, json");
  if (path.ends_with(".md") || path.ends_with(".markdown")) return Format::markdown;
  return path.ends_with(".json") ? Format::json : Format::html;
}

std::string render(const Document& document, Format format) {
  switch (format) {
    case Format::markdown:
      return markdown(document);
    case Format::json:
      return json(document);
    case Format::html:
      break;
  }
  return html(document);
}

Result<void> refuse_same(const std::string& path, const std::string& other, std::string_view what) {
  if (path.empty() || path == "-" || other.empty() || other == "-") return {};
  namespace fs = std::filesystem;
  std::error_code ignored;
  const auto whole = [&](const std::string& name) {
    return fs::weakly_canonical(fs::absolute(name, ignored), ignored);
  };
  const bool same = fs::exists(path, ignored)
                        ? fs::is_regular_file(path, ignored) && fs::equivalent(path, other, ignored)
                        : whole(path) == whole(other);
  if (!same) return {};
  return fail("is " + std::string(what) + " itself", path, "write the report to another file");
}

Result<void> write_report(const std::string& path, std::string_view text, drill::ExitCode& code) {
  code = drill::ExitCode::cannot_create;
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return fail_errno("cannot create", path, "choose another path");
  code = drill::ExitCode::io_error;
  while (!text.empty()) {
    const auto n = ::write(file.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("cannot write the report", path);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  code = drill::ExitCode::as_expected;
  return {};
}

}  // namespace oomdrill::report
