# SPDX-License-Identifier: Apache-2.0
# bpf_object(NAME SOURCE [HEADERS…]): compiles SOURCE for the BPF target and makes a bpftool skeleton of it.
# Gives the interface target bpf_NAME, whose include folder holds NAME.skel.h.
find_program(BPF_CLANG NAMES clang-21 clang-20 clang-19 clang-18 clang-17 clang-16 clang REQUIRED)
# /usr/sbin first: Debian 12 has no other, and a wrapper of that name elsewhere may look for a kernel's own copy.
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin NO_DEFAULT_PATH)
find_program(BPFTOOL NAMES bpftool REQUIRED)

function(bpf_object name source)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE headers)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -O2 -g -std=gnu11 -Wall -Wextra -Werror
            -isystem ${LIBBPF_INCLUDEDIR} -isystem /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
            -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source} ${headers}
    VERBATIM)
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND sh -c "\"$1\" gen skeleton \"$2\" name \"$3\" > \"$4.tmp\" && mv \"$4.tmp\" \"$4\""
            gen ${BPFTOOL} ${object} ${name}_bpf ${skeleton}
    DEPENDS ${object}
    VERBATIM)
  add_custom_target(bpf_${name}_skeleton DEPENDS ${skeleton})
  add_library(bpf_${name} INTERFACE)
  add_dependencies(bpf_${name} bpf_${name}_skeleton)
  target_include_directories(bpf_${name} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(bpf_${name} INTERFACE PkgConfig::LIBBPF)
endfunction()
