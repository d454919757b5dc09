# Linked PRIVATE to what never is where the time goes when it runs: compiled for a short build (two fifths less than
# -O2). What a room's messages pass through (server, loadgen, their libraries) is not linked to it.
add_library(roomcheck_cold INTERFACE)
add_library(roomcheck::cold ALIAS roomcheck_cold)
target_compile_options(roomcheck_cold INTERFACE $<$<CONFIG:Release>:-Og>)
