# sdboot as USER_C_MODULES of a firmware that is built with CMake (esp32, rp2); micropython.mk is
# for the others.
add_library(usermod_sdboot INTERFACE)
file(GLOB sdboot_sources CONFIGURE_DEPENDS
    ${CMAKE_CURRENT_LIST_DIR}/*.c
    ${CMAKE_CURRENT_LIST_DIR}/../core/*.c
    ${CMAKE_CURRENT_LIST_DIR}/../core/*/*.c
)
target_sources(usermod_sdboot INTERFACE ${sdboot_sources})
target_include_directories(usermod_sdboot INTERFACE ${CMAKE_CURRENT_LIST_DIR}/..)
target_link_libraries(usermod INTERFACE usermod_sdboot)
