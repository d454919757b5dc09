# `cpack` in the build folder makes roomcheck_VERSION_amd64.deb: the programs as roomcheck-*, profiles, schemas, man pages, completion.
find_program(ROOMCHECK_NODE node)
if(NOT ROOMCHECK_NODE)
  message(FATAL_ERROR "node is missing: run ci/setup")
endif()

set(generated ${PROJECT_BINARY_DIR}/package)

set(programs reference_server loadgen conformance report)
if(TARGET layerctl)
  list(APPEND programs layerctl)
endif()
add_custom_command(
  OUTPUT ${generated}/.stamp
  COMMAND ${ROOMCHECK_NODE} ${PROJECT_SOURCE_DIR}/ci/package/generate.mjs ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${generated}
          ${PROJECT_VERSION} ${programs}
  COMMAND ${CMAKE_COMMAND} -E touch ${generated}/.stamp
  DEPENDS ${programs} ${PROJECT_SOURCE_DIR}/ci/package/generate.mjs
  COMMENT "Man pages and completion, from --help"
  VERBATIM)
add_custom_target(package_files ALL DEPENDS ${generated}/.stamp)

# Optional, so that an installation after building a few targets only has what was built.
install(DIRECTORY ${generated}/man1/ DESTINATION share/man/man1 OPTIONAL)
install(DIRECTORY ${generated}/bash/ DESTINATION share/bash-completion/completions OPTIONAL)
install(DIRECTORY ${generated}/zsh/ DESTINATION share/zsh/vendor-completions OPTIONAL)
install(PROGRAMS ci/pipeline/check DESTINATION bin RENAME roomcheck-check)
install(DIRECTORY conformance/profiles/ DESTINATION share/roomcheck/profiles FILES_MATCHING PATTERN "*.json" PATTERN "*.schema.json" EXCLUDE)
foreach(schema conformance/profiles/profile loadgen/scenario reports/model/conformance_result reports/model/load_result)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${schema}.schema.json)
    install(FILES ${schema}.schema.json DESTINATION share/roomcheck/schemas)
  endif()
endforeach()
if(EXISTS ${PROJECT_SOURCE_DIR}/conformance/known_deviations)
  install(DIRECTORY conformance/known_deviations/ DESTINATION share/roomcheck/known_deviations)
endif()
install(FILES LICENSE DESTINATION share/doc/roomcheck RENAME copyright)
install(FILES CHANGELOG.md docs/SPEC.md docs/PROFILES.md docs/MEASURING.md docs/PIPELINES.md DESTINATION share/doc/roomcheck)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME roomcheck)
set(CPACK_PACKAGE_CONTACT "The Roomcheck authors <roomcheck@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "proves and measures WebSocket room servers")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
  "A conformance suite, a load generator that accounts for every delivery, reports and comparisons,\n and a reference server, for room servers in the manner of Django Channels.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES OFF)
set(CPACK_OUTPUT_FILE_PREFIX ${PROJECT_BINARY_DIR}/deb)
include(CPack)
