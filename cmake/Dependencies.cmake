# SPDX-License-Identifier: Apache-2.0
# Everything that goleakd takes from the distribution. scripts/setup installs it.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tl-expected REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(zydis REQUIRED)
find_package(ZLIB REQUIRED)

pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET libbpf>=1.4)
pkg_check_modules(LIBELF REQUIRED IMPORTED_TARGET libelf)
pkg_check_modules(LIBDW REQUIRED IMPORTED_TARGET libdw)
pkg_check_modules(LIBSECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(LIBSYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.40)

# civetweb ships neither a CMake package nor a .pc file on every Debian.
find_library(CIVETWEB_CPP civetweb-cpp REQUIRED)
find_library(CIVETWEB civetweb REQUIRED)
find_path(CIVETWEB_INCLUDE CivetServer.h REQUIRED)
add_library(civetweb_cpp INTERFACE)
target_link_libraries(civetweb_cpp INTERFACE ${CIVETWEB_CPP} ${CIVETWEB})
target_include_directories(civetweb_cpp SYSTEM INTERFACE ${CIVETWEB_INCLUDE})

# protozero is headers only, and Debian's package has no CMake file that finds them.
find_path(PROTOZERO_INCLUDE protozero/pbf_writer.hpp REQUIRED)
add_library(protozero INTERFACE)
target_include_directories(protozero SYSTEM INTERFACE ${PROTOZERO_INCLUDE})
