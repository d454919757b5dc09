# roomcheck_bytes(out file): the file's content as the elements of a C++ char array. As bytes, because compilers may limit
# the length of a string literal.
function(roomcheck_bytes out file)
  file(READ "${file}" hex HEX)
  if(hex STREQUAL "")
    message(FATAL_ERROR "${file} is empty")
  endif()
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
  set(${out} "${bytes}" PARENT_SCOPE)
endfunction()
