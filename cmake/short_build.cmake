# What makes a full build short.

# g++ starts to collect its garbage at 128 MB; a source here needs 300 to 500, and collecting is a tenth of its time.
add_compile_options($<$<CXX_COMPILER_ID:GNU>:--param=ggc-min-heapsize=1000000>)  # KiB

# roomcheck::cold is linked PRIVATE to what never is where the time goes when it runs: it compiles in three fifths of the
# time of -O2. What a room's messages pass through (server, loadgen, their libraries) is not linked to it.
add_library(roomcheck_cold INTERFACE)
add_library(roomcheck::cold ALIAS roomcheck_cold)
target_compile_options(roomcheck_cold INTERFACE $<$<CONFIG:Release>:-Og>)

# roomcheck_cold_sources(target a.cpp...): sources of a library whose other sources are not cold.
function(roomcheck_cold_sources target)
  add_library(${target}_cold OBJECT ${ARGN})
  foreach(property INCLUDE_DIRECTORIES COMPILE_DEFINITIONS COMPILE_OPTIONS)
    set_property(TARGET ${target}_cold APPEND PROPERTY ${property} $<TARGET_PROPERTY:${target},${property}>)
  endforeach()
  target_link_libraries(${target}_cold PRIVATE roomcheck::cold)
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_cold>)
endfunction()
