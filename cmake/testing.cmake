# roomcheck_add_test(name LABELS unit|contract|golden|e2e|redis... SOURCES a_test.cpp... LIBS roomcheck::x... [TIMEOUT s]
#                    [PARTS part...])
# roomcheck_add_bench(name SOURCES a_bench.cpp... LIBS roomcheck::x...)
if(NOT ROOMCHECK_DEVELOPER_MODE)
  function(roomcheck_add_test)
  endfunction()
  function(roomcheck_add_bench)
  endfunction()
  return()
endif()

enable_testing()
find_package(benchmark 1.7 REQUIRED)
include(GoogleTest)

# What nearly every test reads, read once: a quarter of a test's compile time. Only where sources are joined anyway; the
# other presets show what a source forgot to include.
if(CMAKE_UNITY_BUILD)
  file(CONFIGURE OUTPUT test_headers.cpp CONTENT "")
  add_library(roomcheck_test_headers OBJECT EXCLUDE_FROM_ALL ${CMAKE_CURRENT_BINARY_DIR}/test_headers.cpp)
  target_precompile_headers(roomcheck_test_headers PRIVATE
    <gmock/gmock.h> <gtest/gtest.h> <nlohmann/json.hpp> <filesystem> <fstream> <thread>)
  target_link_libraries(roomcheck_test_headers PRIVATE
    roomcheck::warnings roomcheck::cold nlohmann_json::nlohmann_json GTest::gmock)
  target_compile_options(roomcheck_test_headers PRIVATE -Wno-maybe-uninitialized)
endif()

# One ctest entry a binary: it is the unit that runs in parallel, and starting thousands of processes is slow on
# 2 cores. `ctest -R name` then `bin/name --gtest_filter=...` narrows further. What takes many minutes runs side by side
# in PARTS: an entry name_part for the tests whose parameters are called part_*.
function(roomcheck_add_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "LABELS;SOURCES;LIBS;PARTS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE roomcheck::warnings roomcheck::cold ${arg_LIBS} GTest::gmock GTest::gtest_main)
  # g++ 12 takes an empty std::optional<std::string> for an uninitialised string (GCC bug 80635).
  target_compile_options(${name} PRIVATE -Wno-maybe-uninitialized)
  if(TARGET roomcheck_test_headers)
    target_precompile_headers(${name} REUSE_FROM roomcheck_test_headers)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  set(tests ${name})
  if(arg_PARTS)
    list(TRANSFORM arg_PARTS PREPEND ${name}_ OUTPUT_VARIABLE tests)
    foreach(part ${arg_PARTS})
      add_test(NAME ${name}_${part} COMMAND ${name} --gtest_filter=*/${part}_*)
    endforeach()
  else()
    add_test(NAME ${name} COMMAND ${name})
  endif()
  set_tests_properties(${tests} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()

function(roomcheck_add_bench name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE roomcheck::warnings ${arg_LIBS} benchmark::benchmark_main)
endfunction()
