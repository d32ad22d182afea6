# Finds OpenBLAS built for OpenMP (Debian: libopenblas-openmp-dev): one OpenMP runtime serves BLAS, oneDNN and Tandem.
# Defines the target OpenBLASOpenMP::OpenBLASOpenMP.
find_path(OpenBLASOpenMP_INCLUDE_DIR cblas.h PATH_SUFFIXES openblas-openmp ${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp openblas)
find_library(OpenBLASOpenMP_LIBRARY openblas PATH_SUFFIXES openblas-openmp)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenBLASOpenMP REQUIRED_VARS OpenBLASOpenMP_LIBRARY OpenBLASOpenMP_INCLUDE_DIR)
if(OpenBLASOpenMP_FOUND AND NOT TARGET OpenBLASOpenMP::OpenBLASOpenMP)
  add_library(OpenBLASOpenMP::OpenBLASOpenMP UNKNOWN IMPORTED)
  set_target_properties(OpenBLASOpenMP::OpenBLASOpenMP PROPERTIES IMPORTED_LOCATION ${OpenBLASOpenMP_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${OpenBLASOpenMP_INCLUDE_DIR})
endif()
