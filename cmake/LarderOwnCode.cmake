# SPDX-License-Identifier: Apache-2.0
# What holds for everything compiled from this repository, and must not reach the code that uses it.
function (larder_own_code target)
    target_compile_options (${target} PRIVATE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
        -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes)
    if (LARDER_WERROR)
        target_compile_options (${target} PRIVATE -Werror)
    endif ()
    if (LARDER_SANITIZE)
        target_compile_options (${target} PRIVATE -fsanitize=${LARDER_SANITIZE}
            -fno-sanitize-recover=all -fno-omit-frame-pointer)
        target_link_options (${target} PRIVATE -fsanitize=${LARDER_SANITIZE})
    endif ()
    # A library that needs what it does not link (the core HDF5, say) shows here.
    get_target_property (type ${target} TYPE)
    if (type STREQUAL SHARED_LIBRARY AND CMAKE_SYSTEM_NAME STREQUAL Linux AND NOT LARDER_SANITIZE)
        target_link_options (${target} PRIVATE -Wl,--no-undefined)
    endif ()
    # Libraries that are found in unusual places (modules of a cluster) are found again at run time.
    set_target_properties (${target} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
endfunction ()
