# roomcheck_npm_ci(SOURCE INSTALLED [ci options...]): what SOURCE/package.json names comes from npm, as its lock file says,
# into INSTALLED/node_modules. The file INSTALLED/node_modules/.package-lock.json says that it is there, newer than the lock.
find_program(ROOMCHECK_NODE node)
find_program(ROOMCHECK_NPM npm)

function(roomcheck_npm_ci source installed)
  if(NOT ROOMCHECK_NODE OR NOT ROOMCHECK_NPM)
    message(FATAL_ERROR "node or npm is missing: run ci/setup")
  endif()
  set(files ${source}/package.json ${source}/package-lock.json ${source}/.npmrc)
  file(RELATIVE_PATH shown ${PROJECT_SOURCE_DIR} ${source})
  add_custom_command(
    OUTPUT ${installed}/node_modules/.package-lock.json
    COMMAND ${CMAKE_COMMAND} -E make_directory ${installed}
    COMMAND ${CMAKE_COMMAND} -E copy ${files} ${installed}
    COMMAND ${ROOMCHECK_NPM} ci --prefix ${installed} --ignore-scripts --no-audit --no-fund --loglevel=error ${ARGN}
    COMMAND ${CMAKE_COMMAND} -E touch ${installed}/node_modules/.package-lock.json
    WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}
    DEPENDS ${files}
    COMMENT "npm ci: ${shown}"
    VERBATIM)
endfunction()
