# tandem_library(core SOURCES a.cpp ... DEPENDS tandem_x ...): one library a folder, with the flags all share.
# Headers of the tree are found as <tandem/core/array.h>, through links under the build folder.

set(TANDEM_INCLUDE_DIR ${CMAKE_CURRENT_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${TANDEM_INCLUDE_DIR}/tandem)
foreach(folder core autograd nn optim data)
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${folder} ${TANDEM_INCLUDE_DIR}/tandem/${folder} SYMBOLIC)
endforeach()
if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/cmake/tandem.h)
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/cmake/tandem.h ${TANDEM_INCLUDE_DIR}/tandem/tandem.h SYMBOLIC)
endif()

# -Wno-pass-failed: clang would warn of loops that it cannot vectorise as asked, which is no fault of the code.
add_library(tandem_flags INTERFACE)
target_compile_options(tandem_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  $<$<CXX_COMPILER_ID:Clang>:-Wno-pass-failed> $<$<BOOL:${TANDEM_WARNINGS_AS_ERRORS}>:-Werror>)
# What calls kernels but computes nothing in loops of its own: optimising it further takes compilers long and saves no time.
add_library(tandem_light_flags INTERFACE)
target_compile_options(tandem_light_flags INTERFACE $<$<CONFIG:Release>:-O1>)
if(TANDEM_SANITIZE)
  target_compile_options(tandem_light_flags INTERFACE -O0)
  set(sanitizers ${TANDEM_SANITIZE})
  if(sanitizers MATCHES undefined)
    string(APPEND sanitizers ",float-cast-overflow")  # which the group leaves out
  endif()
  add_compile_options(-fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1)
  add_link_options(-fsanitize=${sanitizers})
endif()

# tandem_precompile(target HEADER...): precompiles cmake/precompiled.h and further headers, such as <doctest/doctest.h>.
function(tandem_precompile target)
  if(TANDEM_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} PRIVATE ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/precompiled.h ${ARGN})
  endif()
endfunction()

function(tandem_library name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPENDS" ${ARGN})
  set(target tandem_${name})
  add_library(${target} ${A_SOURCES})
  add_library(tandem::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${TANDEM_INCLUDE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PUBLIC ${A_DEPENDS} PRIVATE $<BUILD_INTERFACE:tandem_flags>)
  tandem_precompile(${target})
endfunction()

# tandem_program(cifar SOURCES cifar.cpp DEPENDS ...): a program in build/bin, which is installed.
function(tandem_program name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE tandem::tandem ${A_DEPENDS} tandem_flags tandem_light_flags)
  set_property(GLOBAL APPEND PROPERTY TANDEM_PROGRAMS ${name})
endfunction()
