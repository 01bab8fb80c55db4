# SPDX-License-Identifier: Apache-2.0
# goleakd_room(NAME [DEPENDS room…] [LIBRARIES lib…] SOURCES file…)
#
# One static library for one folder. Its headers are included as "room/header.h", and that path exists only for targets
# that link the room: each room gets an include root of its own, holding nothing but a link to its folder. So an include
# that architecture forbids does not compile (tests/unit/rooms checks that this stays so).

add_library(goleakd_flags INTERFACE)
target_compile_options(goleakd_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion # sizes and offsets mix std::size_t and ELF types
  -Wnon-virtual-dtor -Wold-style-cast -Wimplicit-fallthrough)
if(GOLEAKD_WERROR)
  target_compile_options(goleakd_flags INTERFACE -Werror)
endif()
if(GOLEAKD_SANITIZE)
  add_compile_options(-fsanitize=${GOLEAKD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GOLEAKD_SANITIZE})
endif()

function(goleakd_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  set(include_root ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${include_root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${include_root}/${name} SYMBOLIC)
  list(TRANSFORM ROOM_DEPENDS PREPEND goleakd_)
  if(ROOM_SOURCES)
    add_library(goleakd_${name} STATIC ${ROOM_SOURCES})
    target_include_directories(goleakd_${name} PUBLIC ${include_root})
    target_link_libraries(goleakd_${name} PUBLIC ${ROOM_DEPENDS} ${ROOM_LIBRARIES} PRIVATE goleakd_flags)
  else()
    add_library(goleakd_${name} INTERFACE)
    target_include_directories(goleakd_${name} INTERFACE ${include_root})
    target_link_libraries(goleakd_${name} INTERFACE ${ROOM_DEPENDS} ${ROOM_LIBRARIES})
  endif()
endfunction()
