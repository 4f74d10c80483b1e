# One library a part. A part exposes <part>/include only, so an include that the dependency
# graph of docs/architecture.md does not allow does not compile.

add_library(oomdrill_flags INTERFACE)
target_compile_options(oomdrill_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  $<$<BOOL:${OOMDRILL_WERROR}>:-Werror>)
if(OOMDRILL_SANITIZE)
  target_compile_options(oomdrill_flags INTERFACE
    -fsanitize=${OOMDRILL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(oomdrill_flags INTERFACE -fsanitize=${OOMDRILL_SANITIZE})
endif()
if(OOMDRILL_FUZZ)
  target_compile_options(oomdrill_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(NOT OOMDRILL_SANITIZE)
  # What no one calls, most of it libstdc++'s locales: oomprobe is 3.7 MB with it, 3.0 MB without; and
  # in a new container each page of it that is read is charged.
  target_link_options(oomdrill_flags INTERFACE -Wl,--gc-sections)
endif()

# oomdrill_part(NAME [SMALL] [DEPENDS lib...] [PRIVATE_DEPENDS lib...])
# SMALL: it runs once, or once a second, and a release compiles it for its size (oomprobe: 2.7 MB).
# Every .cpp below the current folder but main.cpp and sub-parts (folders with a CMakeLists.txt).
function(oomdrill_part name)
  cmake_parse_arguments(PART "SMALL" "" "DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.cpp)
  file(GLOB_RECURSE nested CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} */CMakeLists.txt)
  list(REMOVE_ITEM sources main.cpp)
  foreach(list_file IN LISTS nested)
    get_filename_component(folder ${list_file} DIRECTORY)
    list(FILTER sources EXCLUDE REGEX "^${folder}/")
  endforeach()
  add_library(${name} STATIC ${sources})
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/include)
    target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include)
  endif()
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name}
    PUBLIC ${PART_DEPENDS} PRIVATE ${PART_PRIVATE_DEPENDS} oomdrill_flags)
  if(PART_SMALL)
    target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-Os>)
  endif()
endfunction()

# oomdrill_program(NAME LIBRARY): main.cpp of the current folder over LIBRARY.
function(oomdrill_program name library)
  add_executable(${name} main.cpp)
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${library} oomdrill_flags)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()
