#!/bin/sh
# Fails when a file includes something from a room that its own room must not know.
# Usage: layers.sh SOURCE_FOLDER
set -eu
cd "$1"
find sim mock-convex mock-powersync -name '*.[ch]' | LC_ALL=C sort | xargs awk '
BEGIN {
    # The rooms bottom up; a room may include itself and what stands before the colon-list here.
    allow["base"] = ""
    allow["kernel"] = "base"
    allow["reader"] = "base kernel"
    allow["fault"] = "base kernel reader"
    allow["net"] = "base kernel"
    allow["live"] = "base kernel"
    allow["disk"] = "base kernel"
    allow["mock-convex"] = "base host"
    allow["mock-powersync"] = "base host"
    allow["client"] = "base kernel disk"
    allow["app"] = "base kernel disk client mock-convex"
    allow["history"] = "base kernel"
    allow["check"] = "base kernel disk client history"
    allow["scenario"] = "base kernel reader fault net disk mock-convex mock-powersync client app history check"
    allow["runner"] = "base kernel reader fault net disk mock-convex mock-powersync client app history check scenario"
    allow["cli"] = allow["runner"] " runner live"
}
function room_of(path,   parts) {
    split(path, parts, "/")
    return parts[1] == "sim" ? parts[2] : parts[1]
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    own = room_of(FILENAME)
    split($0, quoted, "\"")
    included = quoted[2]
    n = split(included, parts, "/")
    if (n == 1) next
    room = parts[1] == "sim" ? parts[2] : parts[1]
    if (!(own in allow)) { print FILENAME ": room " own " is not in tests/layers.sh"; bad = 1; next }
    if (room == own) next
    # The mocks are libraries of their own: of the kernel they may know only the host interface.
    if (room == "kernel" && (own == "mock-convex" || own == "mock-powersync")) {
        if (included == "kernel/host.h" || included == "kernel/note.h" || included == "kernel/time.h") next
    }
    if ((" " allow[own] " ") !~ (" " room " ")) {
        print FILENAME ":" FNR ": room " own " must not include " included
        bad = 1
    }
}
END { exit bad }'
# The actors do no input or output of their own: no sockets, files, threads or clocks.
if grep -nE '#[ \t]*include[ \t]*<(sys/socket|netinet/|pthread|threads|sys/time|unistd|fcntl|uv|curl/)' -r \
    sim/kernel sim/fault sim/net sim/client sim/app sim/history sim/check mock-convex mock-powersync; then
  echo "actors and checks must not do input or output" >&2
  exit 1
fi
if grep -nwE '(time|clock|gettimeofday|clock_gettime|rand|srand|random|getenv)[ ]*\(' -r --include='*.c' \
    sim/kernel sim/fault sim/net sim/client sim/app sim/history sim/check mock-convex mock-powersync |
    grep -vE '/\*|\* |core_library\.c|_(random|time|clock)\('; then
  echo "a world reads no clock and draws no numbers but its own" >&2
  exit 1
fi
