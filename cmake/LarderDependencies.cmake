# SPDX-License-Identifier: Apache-2.0
# Where MPI, xxHash and HDF5 come from; used by the build and by the installed larderConfig.cmake.
# What is missing ends up as a text in LARDER_MISSING, empty when all is there.

# Gives MPI::MPI_C, PkgConfig::LARDER_XXHASH, PkgConfig::LARDER_MSGPACK (its pkg-config name, which differs:
# LARDER_MSGPACK_MODULE_NAME) and LARDER_MPI_KIND: openmpi, mpich or other.
macro (larder_find_core)
    set (LARDER_MISSING)
    find_package (MPI QUIET COMPONENTS C)
    find_package (PkgConfig QUIET)
    if (PKG_CONFIG_FOUND)
        pkg_check_modules (LARDER_XXHASH QUIET IMPORTED_TARGET "libxxhash>=0.8")
        pkg_search_module (LARDER_MSGPACK QUIET IMPORTED_TARGET "msgpack-c>=3.0" "msgpack>=3.0")
    endif ()
    if (NOT MPI_C_FOUND)
        string (CONCAT LARDER_MISSING "MPI was not found.\n"
            "  Debian, Ubuntu: apt-get install openmpi-bin libopenmpi-dev\n"
            "  a cluster:      load its MPI module, or give -DMPI_C_COMPILER=/path/to/mpicc")
    elseif (NOT PKG_CONFIG_FOUND)
        string (CONCAT LARDER_MISSING "pkg-config was not found.\n"
            "  Debian, Ubuntu: apt-get install pkg-config")
    elseif (NOT LARDER_XXHASH_FOUND)
        string (CONCAT LARDER_MISSING "xxHash 0.8 or later was not found by pkg-config (libxxhash.pc).\n"
            "  Debian, Ubuntu: apt-get install libxxhash-dev\n"
            "  elsewhere:      add the folder of libxxhash.pc to PKG_CONFIG_PATH")
    elseif (NOT LARDER_MSGPACK_FOUND)
        string (CONCAT LARDER_MISSING "msgpack-c 3.0 or later was not found by pkg-config (msgpack-c.pc or msgpack.pc).\n"
            "  Debian, Ubuntu: apt-get install libmsgpack-dev\n"
            "  elsewhere:      add the folder of msgpack-c.pc to PKG_CONFIG_PATH; msgpack-cxx is another library")
    else ()
        larder_mpi_kind (LARDER_MPI_KIND)
    endif ()
endmacro ()

function (larder_mpi_kind result)
    include (CheckSymbolExists)
    set (CMAKE_REQUIRED_LIBRARIES MPI::MPI_C)
    set (CMAKE_REQUIRED_QUIET ON)
    check_symbol_exists (OPEN_MPI mpi.h LARDER_MPI_IS_OPENMPI)
    check_symbol_exists (MPICH_VERSION mpi.h LARDER_MPI_IS_MPICH)
    set (kind other)
    if (LARDER_MPI_IS_OPENMPI)
        set (kind openmpi)
    elseif (LARDER_MPI_IS_MPICH)
        set (kind mpich)
    endif ()
    set (${result} ${kind} PARENT_SCOPE)
endfunction ()

# Gives LARDER_HDF5_TARGET, what to link, and LARDER_HDF5_MODULE, its pkg-config name (empty when
# HDF5 came from CMake's own search).  HDF5 built for another MPI would bring a second MPI library
# into the program, so it is passed over.  Arguments: the pkg-config names to try.
macro (larder_find_hdf5)
    set (LARDER_HDF5_TARGET)
    set (LARDER_HDF5_MODULE)
    set (larder_hdf5_foreign "openmpi|mpich")
    if (LARDER_MPI_KIND STREQUAL openmpi)
        set (larder_hdf5_foreign "mpich")
    elseif (LARDER_MPI_KIND STREQUAL mpich)
        set (larder_hdf5_foreign "openmpi")
    endif ()
    foreach (larder_module IN ITEMS ${ARGN})
        string (MAKE_C_IDENTIFIER LARDER_${larder_module} larder_prefix)
        pkg_check_modules (${larder_prefix} QUIET IMPORTED_TARGET "${larder_module}>=1.10.3")
        if (${larder_prefix}_FOUND AND NOT "${${larder_prefix}_INCLUDE_DIRS}" MATCHES "${larder_hdf5_foreign}")
            set (LARDER_HDF5_TARGET PkgConfig::${larder_prefix})
            set (LARDER_HDF5_MODULE ${larder_module})
            set (LARDER_HDF5_FOUND_AS "${${larder_prefix}_VERSION} from ${larder_module}.pc")
            break ()
        endif ()
    endforeach ()
    if (NOT LARDER_HDF5_TARGET)
        find_package (HDF5 1.10.3 QUIET COMPONENTS C)
        if (HDF5_FOUND AND TARGET hdf5::hdf5 AND NOT "${HDF5_C_INCLUDE_DIRS}" MATCHES "${larder_hdf5_foreign}")
            set (LARDER_HDF5_TARGET hdf5::hdf5)
            set (LARDER_HDF5_FOUND_AS "${HDF5_VERSION} from ${HDF5_C_INCLUDE_DIRS}")
        endif ()
    endif ()
    # Decodes gzip faster than HDF5 does; HDF5 itself needs it, so it is nearly always there.
    pkg_check_modules (LARDER_ZLIB QUIET IMPORTED_TARGET zlib)
    if (NOT LARDER_HDF5_TARGET)
        string (CONCAT LARDER_MISSING "HDF5 1.10.3 or later for this MPI (${LARDER_MPI_KIND}) was not found.\n"
            "  Debian, Ubuntu: apt-get install libhdf5-openmpi-dev   (MPICH: libhdf5-mpich-dev)\n"
            "  a cluster:      load its HDF5 module, or give -DHDF5_ROOT=/path/to/hdf5\n"
            "  without HDF5:   -DLARDER_HDF5=OFF builds the core library alone, without the command")
    endif ()
endmacro ()
