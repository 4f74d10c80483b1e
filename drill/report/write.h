#pragma once

#include <string>

#include "base/error.h"
#include "exit_codes.h"
#include "report/document.h"

namespace oomdrill::report {

enum class Format { html, markdown, json };

/// By its name, or where that is empty by how `path` ends (.md, .json), else HTML.
Result<Format> format_of(const std::string& name, const std::string& path);
std::string render(const Document& document, Format format);
/// Error: to write `path` would destroy `other`, what it is called in words: one file by device and
/// inode, or where there is none yet by path. "-" and what is no regular file are none.
Result<void> refuse_same(const std::string& path, const std::string& other, std::string_view what);
/// Written anew where it exists. `code`: what an error deserves.
Result<void> write_report(const std::string& path, std::string_view text, drill::ExitCode& code);

}  // namespace oomdrill::report
