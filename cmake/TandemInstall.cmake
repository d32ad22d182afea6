# Installs headers, libraries and the CMake package: find_package(tandem) gives tandem::tandem.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tandem)
install(TARGETS tandem tandem_core tandem_autograd tandem_nn tandem_optim tandem_data EXPORT tandemTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT tandemTargets NAMESPACE tandem:: DESTINATION ${package_dir})
foreach(folder core autograd nn optim data)
  install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tandem
    FILES_MATCHING PATTERN "*.h" PATTERN "onednn" EXCLUDE)
endforeach()
install(FILES ${CMAKE_CURRENT_SOURCE_DIR}/cmake/tandem.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tandem)
configure_package_config_file(${CMAKE_CURRENT_SOURCE_DIR}/cmake/tandemConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/tandemConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/tandemConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tandemConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/tandemConfigVersion.cmake
  ${CMAKE_CURRENT_SOURCE_DIR}/cmake/FindOpenBLASOpenMP.cmake DESTINATION ${package_dir})
