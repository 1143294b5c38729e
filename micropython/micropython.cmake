# SPDX-License-Identifier: MIT
# sdboot as USER_C_MODULES of a firmware that is built with CMake (esp32, rp2); micropython.mk is
# for the others.
add_library(usermod_sdboot INTERFACE)
file(GLOB sdboot_sources CONFIGURE_DEPENDS
    ${CMAKE_CURRENT_LIST_DIR}/*.c
    ${CMAKE_CURRENT_LIST_DIR}/../core/*.c
    ${CMAKE_CURRENT_LIST_DIR}/../core/*/*.c
)
# Signed releases: tinyssh's arithmetic, which tools/setup.sh of sdboot puts there.
if(NOT DEFINED SDBOOT_TINYSSH_DIR)
    set(SDBOOT_TINYSSH_DIR ${CMAKE_CURRENT_LIST_DIR}/../build/tinyssh)
endif()
if(EXISTS ${SDBOOT_TINYSSH_DIR}/ge25519.c)
    list(APPEND sdboot_sources
        ${CMAKE_CURRENT_LIST_DIR}/sign/mod_sdsign.c
        ${CMAKE_CURRENT_LIST_DIR}/sign/ed25519.c
    )
    target_include_directories(usermod_sdboot INTERFACE
        ${CMAKE_CURRENT_LIST_DIR}/sign ${SDBOOT_TINYSSH_DIR})
endif()
target_sources(usermod_sdboot INTERFACE ${sdboot_sources})
target_include_directories(usermod_sdboot INTERFACE ${CMAKE_CURRENT_LIST_DIR}/..)
target_link_libraries(usermod INTERFACE usermod_sdboot)
