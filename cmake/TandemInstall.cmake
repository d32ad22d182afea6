# Installs headers, libraries, programs and the CMake package: find_package(tandem) gives tandem::tandem, and
# tandem::train for programs that train.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tandem)

# The headers of a folder as <tandem/folder/...>, but for those whose first comment says "Private to".
function(tandem_install_headers folder)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${folder}/*.h)
  set(excluded PATTERN "onednn" EXCLUDE)
  foreach(header ${headers})
    file(STRINGS ${header} private LIMIT_INPUT 2000 REGEX "^// .*Private to")
    if(private)
      file(RELATIVE_PATH place ${folder}/.. ${header})
      string(REPLACE "." "\\." place ${place})
      list(APPEND excluded REGEX "/${place}$" EXCLUDE)
    endif()
  endforeach()
  install(DIRECTORY ${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tandem FILES_MATCHING PATTERN "*.h" ${excluded})
endfunction()

install(TARGETS tandem tandem_core tandem_autograd tandem_nn tandem_optim tandem_data tandem_workers EXPORT tandemTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TANDEM_BUILD_EXAMPLES)
  install(TARGETS tandem_report tandem_train EXPORT tandemTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  foreach(folder report train)
    tandem_install_headers(${CMAKE_CURRENT_SOURCE_DIR}/examples/${folder})
  endforeach()
  get_property(programs GLOBAL PROPERTY TANDEM_PROGRAMS)
  install(TARGETS ${programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(EXPORT tandemTargets NAMESPACE tandem:: DESTINATION ${package_dir})
foreach(folder core autograd nn optim data)
  tandem_install_headers(${CMAKE_CURRENT_SOURCE_DIR}/${folder})
endforeach()
install(FILES ${CMAKE_CURRENT_SOURCE_DIR}/cmake/tandem.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tandem)
configure_package_config_file(${CMAKE_CURRENT_SOURCE_DIR}/cmake/tandemConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/tandemConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/tandemConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tandemConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/tandemConfigVersion.cmake
  ${CMAKE_CURRENT_SOURCE_DIR}/cmake/FindOpenBLASOpenMP.cmake DESTINATION ${package_dir})
