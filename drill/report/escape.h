#pragma once

#include <string>
#include <string_view>

namespace oomdrill::report {

/// Text as it may stand anywhere in HTML, in an attribute's quotes too.
std::string html_text(std::string_view text);
/// Text as it may stand in a line or a table's cell of Markdown: nothing of it is markup, a link, a
/// mention or HTML.
std::string markdown_text(std::string_view text);
/// On one line, of valid UTF-8, without control characters and without those that turn the reading
/// direction.
std::string clean_text(std::string_view text);
/// Bytes of the control character or of the turn of direction (U+202A to U+202E, U+2066 to U+2069)
/// that `text` begins with; 0: it begins with neither. Of an empty text: 1.
std::size_t unprintable(std::string_view text);

}  // namespace oomdrill::report
