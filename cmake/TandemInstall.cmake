# Installs headers, libraries, programs and the CMake package: find_package(tandem) gives tandem::tandem, and
# tandem::train for programs that train.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tandem)
install(TARGETS tandem tandem_core tandem_autograd tandem_nn tandem_optim tandem_data EXPORT tandemTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TANDEM_BUILD_EXAMPLES)
  install(TARGETS tandem_report tandem_train EXPORT tandemTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  foreach(folder report train)
    install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/examples/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tandem
      FILES_MATCHING PATTERN "*.h" PATTERN "command_line_parser.h" EXCLUDE PATTERN "curve_data.h" EXCLUDE
      PATTERN "page*.h" EXCLUDE)
  endforeach()
  get_property(programs GLOBAL PROPERTY TANDEM_PROGRAMS)
  install(TARGETS ${programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
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
