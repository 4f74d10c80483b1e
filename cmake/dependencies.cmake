# Debian packages all; `scripts/setup` installs them by name.
find_package(Threads REQUIRED)
# fmt: its headers alone; base/fmt_library.cpp says why.
find_package(cxxopts REQUIRED)
find_package(tl-expected REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(simdjson REQUIRED)
find_package(ZLIB REQUIRED)

# libevent's own CMake package hides its static libraries when the shared ones are there.
find_path(OOMDRILL_LIBEVENT_INCLUDE event2/http.h REQUIRED)
find_library(OOMDRILL_LIBEVENT_CORE libevent_core.a REQUIRED)
find_library(OOMDRILL_LIBEVENT_EXTRA libevent_extra.a REQUIRED)
add_library(oomdrill_http INTERFACE)
target_include_directories(oomdrill_http SYSTEM INTERFACE ${OOMDRILL_LIBEVENT_INCLUDE})
target_link_libraries(oomdrill_http INTERFACE ${OOMDRILL_LIBEVENT_EXTRA} ${OOMDRILL_LIBEVENT_CORE})
