#!/bin/bash
# laip-bench: what its subcommands print, and how they refuse.
set -u
bench=$1/laip-bench
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

"$bench" devices | grep -q "compute units" || fail "devices"
"$bench" devices --json | grep -q '"lanes"' || fail "devices --json"
"$bench" peak --json > "$work/a.json" || fail "peak"
grep -q '"unit": "GFLOP/s"' "$work/a.json" || fail "peak's unit"
sed 's/"value": [0-9.]*/"value": 2.0/' "$work/a.json" > "$work/two.json"
sed 's/"value": [0-9.]*/"value": 4.0/' "$work/a.json" > "$work/four.json"
"$bench" compare "$work/two.json" "$work/four.json" > "$work/compared" || fail "compare"
grep -q "multiply-adds.* 2.00 times as fast" "$work/compared" || fail "a rate that doubled: $(cat "$work/compared")"
grep -q "launch, queued.* 0.50 times as fast" "$work/compared" || fail "a time that doubled: $(cat "$work/compared")"

refused() { # STATUS TEXT ARGUMENTS
    local status=$1 text=$2
    shift 2
    "$bench" "$@" > /dev/null 2> "$work/errors"
    [ $? = "$status" ] || fail "$*: status"
    grep -q "$text" "$work/errors" || fail "$*: $(cat "$work/errors")"
}
refused 2 "no such subcommand" nothing
refused 2 "no such group" ops nothing
refused 2 "seconds above 0" ops --time 0
refused 2 "no such device" peak --device "no such thing"
refused 2 "expected two reports" compare "$work/a.json"
echo '{}' > "$work/empty.json"
refused 2 'found no list "results"' compare "$work/empty.json" "$work/a.json"
exit 0
