# ROOMCHECK_SANITIZE is a list for -fsanitize=, set by the presets asan and tsan; empty means none.
set(ROOMCHECK_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize=LIST")
if(ROOMCHECK_SANITIZE)
  add_compile_options(-fsanitize=${ROOMCHECK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ROOMCHECK_SANITIZE})
  # Whether a vtable can be read, the vptr check finds out with a pipe: a process without descriptors, which is what
  # faults_test makes of them, "does not point to an object" at its next virtual call.
  add_compile_options(-fno-sanitize=vptr)
endif()

option(ROOMCHECK_COVERAGE "Instrument for gcov" OFF)
if(ROOMCHECK_COVERAGE)
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
endif()
