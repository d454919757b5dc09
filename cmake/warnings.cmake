# Linked PRIVATE to every target of ours; never reaches a dependency or a user. One flag a line, with its reason.
add_library(roomcheck_warnings INTERFACE)
add_library(roomcheck::warnings ALIAS roomcheck_warnings)
target_compile_options(roomcheck_warnings INTERFACE
  -Wall -Wextra -Wpedantic  # the baseline
  -Wshadow                  # a shadowed name is read wrongly at review
  -Wnon-virtual-dtor        # interfaces here are deleted through their base
  -Wold-style-cast          # casts must say what they do
  -Woverloaded-virtual      # a hidden overload is a handler that is never called
  -Wcast-align              # wire formats are read by memcpy, never by cast
  -Wimplicit-fallthrough    # a missing break in a frame parser is a hole
)
if(CMAKE_UNITY_BUILD)
  # A source file's own types look like a header's where its file is included into another.
  target_compile_options(roomcheck_warnings INTERFACE -Wno-subobject-linkage)
endif()

option(ROOMCHECK_WERROR "Treat warnings as errors (CI presets)" OFF)
if(ROOMCHECK_WERROR)
  target_compile_options(roomcheck_warnings INTERFACE -Werror)
endif()
