# SQLite, static, from the source that the npm package `sqlite3` carries (pinned by hash in deps/package-lock.json).
# The client core needs 3.44 or newer, Debian 12 has 3.40; and one SQLite everywhere serves determinism.
set(sqlite_archive ${CMAKE_SOURCE_DIR}/deps/node_modules/sqlite3/deps/sqlite-autoconf-3520000.tar.gz)
if(NOT EXISTS ${sqlite_archive})
  # Without npm there is no client core either: the rest is built with the system's SQLite, so that one can work on it.
  message(WARNING "SQLite's source is missing: ${sqlite_archive}\n"
    "Run `npm ci --ignore-scripts` in ${CMAKE_SOURCE_DIR}/deps (or `./dev build`, which does it). "
    "Building with the system's SQLite; the engine `core` will not run, and trace hashes may differ.")
  pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
  add_library(sqlite3 INTERFACE)
  target_link_libraries(sqlite3 INTERFACE PkgConfig::SQLITE)
  target_compile_definitions(sqlite3 INTERFACE SQLITE_ENABLE_PREUPDATE_HOOK)
  return()
endif()
file(SHA256 ${sqlite_archive} sqlite_hash)
if(NOT sqlite_hash STREQUAL f6b50b0c103392af32a8be15b2b9d25959de9a00a70c3979128aafeaa5338b3f)
  message(FATAL_ERROR "${sqlite_archive} has the unexpected SHA-256 ${sqlite_hash}")
endif()
set(sqlite_dir ${CMAKE_BINARY_DIR}/sqlite-autoconf-3520000)
if(NOT EXISTS ${sqlite_dir}/sqlite3.c)
  file(ARCHIVE_EXTRACT INPUT ${sqlite_archive} DESTINATION ${CMAKE_BINARY_DIR}
    PATTERNS */sqlite3.c */sqlite3.h */sqlite3ext.h)
endif()
add_library(sqlite3 STATIC ${sqlite_dir}/sqlite3.c)
target_include_directories(sqlite3 SYSTEM PUBLIC ${sqlite_dir})
# One thread, no shared cache; the preupdate hook tells a client which rows changed. Memory accounting is off: it costs
# time in every allocation and nothing reads it.
target_compile_definitions(sqlite3 PUBLIC
  SQLITE_THREADSAFE=0 SQLITE_ENABLE_PREUPDATE_HOOK SQLITE_OMIT_SHARED_CACHE SQLITE_DEFAULT_MEMSTATUS=0
  SQLITE_LIKE_DOESNT_MATCH_BLOBS SQLITE_DQS=0 SQLITE_ENABLE_DESERIALIZE)
target_compile_options(sqlite3 PRIVATE -w)
target_link_libraries(sqlite3 PUBLIC m ${CMAKE_DL_LIBS})
