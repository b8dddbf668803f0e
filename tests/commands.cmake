# Tests that run the built command, from the source folder.
function(syncline_command_test name)
  add_test(NAME command/${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/commands/${name}.sh ${ARGN}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endfunction()

syncline_command_test(layers ${CMAKE_SOURCE_DIR})
syncline_command_test(golden $<TARGET_FILE:syncline>)
syncline_command_test(bad_input $<TARGET_FILE:syncline>)
syncline_command_test(serve $<TARGET_FILE:syncline>)
syncline_command_test(faults $<TARGET_FILE:syncline>)
syncline_command_test(bench_serve $<TARGET_FILE:syncline>)
syncline_command_test(hostile $<TARGET_FILE:syncline>)
if(SYNCLINE_SANITIZE)
  # The other build, when it is there: the same seeds, gcc -O2 against clang -O0 with sanitizers.
  syncline_command_test(determinism $<TARGET_FILE:syncline> ${CMAKE_SOURCE_DIR}/build/syncline)
else()
  syncline_command_test(determinism $<TARGET_FILE:syncline>)
  syncline_command_test(mutants $<TARGET_FILE:syncline>)
  find_program(VALGRIND valgrind)
  if(VALGRIND)
    syncline_command_test(valgrind $<TARGET_FILE:syncline>)
  endif()
endif()
