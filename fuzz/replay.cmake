# Corpus and regressions of every fuzz target as ordinary tests, with any compiler.
include(${CMAKE_CURRENT_LIST_DIR}/targets.cmake)

if(BUILD_TESTING)
  foreach(target ${FUZZ_TARGETS})
    fuzz_add_executable(replay_${target} ${target} ${FUZZ_DIRECTORY}/replay_main.c)
    add_test(NAME replay/${target} COMMAND replay_${target} ${FUZZ_DIRECTORY}/corpus/${target}
      ${FUZZ_DIRECTORY}/regressions/${target})
  endforeach()
endif()
