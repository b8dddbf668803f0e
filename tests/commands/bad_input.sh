#!/bin/sh
# Wrong input gives file, line, column and what was expected, and exit status 2. Usage: bad_input.sh SYNCLINE
set -u
syncline=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0

# refuse WHERE WORDS: the scenario on standard input is refused at line:column WHERE with WORDS in the message.
refuse() {
  cat >"$out/s.yaml"
  "$syncline" run "$out/s.yaml" --seed 1 --out "$out/results" >"$out/log" 2>&1
  status=$?
  if [ $status -ne 2 ] || ! grep -qF "$out/s.yaml:$1: " "$out/log" || ! grep -qF "$2" "$out/log"; then
    echo "expected status 2 and '$out/s.yaml:$1: ... $2', got status $status and:"
    cat "$out/log"
    failed=1
  fi
}

refuse 2:1 'polling' <<'YAML'
app: todo
polling: 3
users: [alice]
YAML
refuse 2:8 'list' <<'YAML'
app: todo
users: alice
YAML
refuse 3:12 'duration' <<'YAML'
app: todo
users: [alice]
run: {for: 5parsecs}
YAML
refuse 3:11 'split-transaktion' <<'YAML'
app: todo
users: [alice]
mutants: [split-transaktion]
YAML
refuse 1:6 'todoo' <<'YAML'
app: todoo
YAML

# wrong use: exit status 2 and a message on standard error
for arguments in "run --seeds x" "run --nonsense" "frobnicate" "run no/such/folder" "replay" "list colours" \
  "run scenarios/smoke --engine steam"; do
  # shellcheck disable=SC2086
  "$syncline" $arguments >"$out/stdout" 2>"$out/stderr"
  status=$?
  if [ $status -ne 2 ] || [ ! -s "$out/stderr" ]; then
    echo "syncline $arguments: expected status 2 and a message, got status $status"
    cat "$out/stderr"
    failed=1
  fi
done

# without the client core the program says what is missing
SYNCLINE_CORE=/nonexistent/libpowersync.so "$syncline" run scenarios/smoke/quiet.yaml --seed 1 --out "$out/r" >"$out/log" 2>&1
status=$?
if [ $status -eq 0 ] || ! grep -q 'nonexistent' "$out/log"; then
  echo "a missing core: expected a failure that names the file, got status $status and:"
  cat "$out/log"
  failed=1
fi
exit $failed
