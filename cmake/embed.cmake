# What the report carries of others: found as Debian packages it, never committed.

# oomdrill_embed_charts(TARGET GLUE): the program that draws a report's charts, of dygraphs, its licence
# and GLUE, as one script in TARGET with its hash for the page's Content-Security-Policy.
function(oomdrill_embed_charts target glue)
  find_file(OOMDRILL_DYGRAPHS dygraph.min.js PATHS /usr/share/javascript/dygraphs REQUIRED NO_DEFAULT_PATH)
  find_file(OOMDRILL_DYGRAPHS_LICENCE copyright PATHS /usr/share/doc/libjs-dygraphs REQUIRED NO_DEFAULT_PATH)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${OOMDRILL_DYGRAPHS} ${OOMDRILL_DYGRAPHS_LICENCE} ${glue})
  file(READ ${OOMDRILL_DYGRAPHS_LICENCE} licence)
  file(READ ${OOMDRILL_DYGRAPHS} library)
  file(READ ${glue} own)
  # Its map stays where it is.
  string(REGEX REPLACE "//# sourceMappingURL=[^\n]*" "" library "${library}")
  set(script "/*\n${licence}*/\n${library}\n${own}")
  foreach(forbidden IN ITEMS "</script" "<!--" ")oomdrill\"" "\r")
    string(FIND "${script}" "${forbidden}" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "the script of the report's charts holds ${forbidden}, which would end it")
    endif()
  endforeach()
  string(FIND "${licence}" "*/" at)
  if(NOT at EQUAL -1)
    message(FATAL_ERROR "${OOMDRILL_DYGRAPHS_LICENCE} ends a comment")
  endif()

  string(SHA256 digest "${script}")
  oomdrill_base64(hash ${digest})
  # A literal of more than 64 KiB is beyond what C++ asks of a compiler.
  string(LENGTH "${script}" length)
  set(pieces "")
  set(at 0)
  while(at LESS length)
    string(SUBSTRING "${script}" ${at} 32768 piece)
    string(APPEND pieces "    R\"oomdrill(${piece})oomdrill\",\n")
    math(EXPR at "${at} + 32768")
  endwhile()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/charts_script.cpp)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
#include "report/charts_script.h"

namespace oomdrill::report {
namespace {

constexpr std::string_view kPieces[] = {
@pieces@};

}  // namespace

std::span<const std::string_view> charts_script() { return kPieces; }

std::string_view charts_script_hash() { return "sha256-@hash@"; }

}  // namespace oomdrill::report
]])
  target_sources(${target} PRIVATE ${source})
endfunction()

# oomdrill_base64(VARIABLE HEX): of a SHA-256, whose 64 digits are 21 times three and one.
function(oomdrill_base64 variable hex)
  set(alphabet ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
  set(text "")
  foreach(at RANGE 0 60 3)
    string(SUBSTRING ${hex} ${at} 3 digits)
    math(EXPR high "0x${digits} / 64")
    math(EXPR low "0x${digits} % 64")
    foreach(index IN ITEMS ${high} ${low})
      string(SUBSTRING ${alphabet} ${index} 1 letter)
      string(APPEND text ${letter})
    endforeach()
  endforeach()
  string(SUBSTRING ${hex} 63 1 digit)
  math(EXPR last "0x${digit} * 4")
  string(SUBSTRING ${alphabet} ${last} 1 letter)
  set(${variable} "${text}${letter}=" PARENT_SCOPE)
endfunction()
