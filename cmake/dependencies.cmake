# Every dependency is a Debian 12 package (ci/setup installs them). All are IMPORTED, hence SYSTEM, targets.
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED)  # Asio and Beast: headers only
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(websocketpp 0.8.2 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(GTest 1.12 REQUIRED)  # conformance: each case is a GoogleTest test

# Asio and websocketpp, as this project uses them.
add_library(roomcheck_asio INTERFACE)
add_library(roomcheck::asio ALIAS roomcheck_asio)
target_link_libraries(roomcheck_asio INTERFACE Boost::headers Threads::Threads)

# Debian's websocketpp ships a config without an imported target.
add_library(roomcheck_websocketpp INTERFACE)
add_library(roomcheck::websocketpp ALIAS roomcheck_websocketpp)
target_include_directories(roomcheck_websocketpp SYSTEM INTERFACE ${WEBSOCKETPP_INCLUDE_DIR})

# Debian's hiredis has no CMake config.
find_package(PkgConfig REQUIRED)
pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis>=0.14)
add_library(roomcheck::hiredis ALIAS PkgConfig::hiredis)
set_property(TARGET PkgConfig::hiredis PROPERTY INTERFACE_COMPILE_OPTIONS "")  # -D_FILE_OFFSET_BITS=64: no header of it cares
