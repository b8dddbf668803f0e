# What each fuzz target is made of: its own file, the code under test (compiled in, so that a target waits for no room
# that it does not use) and libraries. fuzz/CMakeLists.txt links it with libFuzzer, fuzz/replay.cmake with replay_main.c.
set(FUZZ_DIRECTORY ${CMAKE_CURRENT_LIST_DIR})
set(FUZZ_TARGETS sync_line sync_lines convex backend faults websocket http_request jwt value rsocket_frame sync_config bson
  powersync sync_request accept service_config)

set(FUZZ_SOURCES_sync_line fuzz_sync_line.c sync_line_check.c sync_line_print.c ../sim/base/json_scan.c
  ../sim/check/sync_line.c)
set(FUZZ_LIBRARIES_sync_line room_base)

set(FUZZ_SOURCES_sync_lines fuzz_sync_lines.c sync_line_check.c sync_line_print.c ../sim/base/json_scan.c
  ../sim/check/sync_line.c ../sim/check/wire_rows.c ../sim/check/wire_grammar.c ../sim/check/wire_checkpoint.c
  ../sim/check/wire_data.c)
set(FUZZ_LIBRARIES_sync_lines room_base)

set(FUZZ_SOURCES_convex fuzz_convex.c conversation.c)
set(FUZZ_LIBRARIES_convex mock_convex room_net)

set(FUZZ_SOURCES_backend fuzz_backend.c conversation.c)
set(FUZZ_LIBRARIES_backend mock_convex room_net)

set(FUZZ_SOURCES_faults fuzz_faults.c conversation.c)
set(FUZZ_LIBRARIES_faults mock_convex room_net room_fault)

set(FUZZ_SOURCES_websocket fuzz_websocket.c ../sim/live/websocket_end.c)
set(FUZZ_LIBRARIES_websocket room_live)

set(FUZZ_SOURCES_http_request fuzz_http_request.c ../sim/live/connection_request.c)
set(FUZZ_LIBRARIES_http_request room_live)

set(FUZZ_SOURCES_jwt fuzz_jwt.c)
set(FUZZ_LIBRARIES_jwt room_base)

set(FUZZ_SOURCES_value fuzz_value.c)
set(FUZZ_LIBRARIES_value mock_convex)

set(FUZZ_SOURCES_rsocket_frame fuzz_rsocket_frame.c ../mock-powersync/http/rsocket_frame.c)
set(FUZZ_LIBRARIES_rsocket_frame room_base)

set(FUZZ_SOURCES_powersync fuzz_powersync.c conversation.c)
set(FUZZ_LIBRARIES_powersync mock_powersync room_net)
set(FUZZ_SOURCES_sync_config fuzz_sync_config.c)
set(FUZZ_LIBRARIES_sync_config mock_powersync)
set(FUZZ_SOURCES_bson fuzz_bson.c)
set(FUZZ_LIBRARIES_bson room_base)

set(FUZZ_SOURCES_sync_request fuzz_sync_request.c)
set(FUZZ_LIBRARIES_sync_request mock_powersync)
set(FUZZ_SOURCES_accept fuzz_accept.c ../mock-powersync/stream/accept.c)
set(FUZZ_LIBRARIES_accept room_base)
set(FUZZ_SOURCES_service_config fuzz_service_config.c conversation.c)
set(FUZZ_LIBRARIES_service_config mock_powersync room_net)

function(fuzz_add_executable executable target)
  list(TRANSFORM FUZZ_SOURCES_${target} PREPEND ${FUZZ_DIRECTORY}/ OUTPUT_VARIABLE sources)
  add_executable(${executable} ${sources} ${ARGN})
  target_link_libraries(${executable} PRIVATE ${FUZZ_LIBRARIES_${target}} syncline_warnings)
  target_include_directories(${executable} PRIVATE ${FUZZ_DIRECTORY})
  target_compile_options(${executable} PRIVATE -UNDEBUG) # what a target checks, it checks with assert
endfunction()
