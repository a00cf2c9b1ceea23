# laip-compare: tables, JSON and page of a small experiment whose answers are plain, and what it refuses.  $1: build folder.
set -eu
compare=$1/laip-compare
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() { echo "FAILED: $*" >&2; exit 1; }
run() { status=$1; shift; got=0; "$@" > out 2> err || got=$?; [ "$got" = "$status" ] || { cat err; fail "$* ended with $got, not $status"; }; }
says() { grep -qF -- "$2" "$1" || { cat "$1"; fail "no '$2' in $1"; }; }

# forty families of ten captions: the baseline has 4 right of each, good 7, same 4 in another order of families
row() { # FILE RIGHT…: by turns
    local file=$1 i n=0
    shift
    for metric in groups binding_families; do
        for ((i = 0; i < 40; i++)); do
            printf '%s[%d,10,%d,%d,%d]' "$([ $i = 0 ] || echo ,)" $((i + 7)) "${@:i % $# + 1:1}" "${@:i % $# + 1:1}" "${@:i % $# + 1:1}"
        done > part
        printf '%s"%s":[%s]' "$([ $n = 0 ] || echo ,)" $metric "$(cat part)"
        n=1
    done > body
    printf '{%s}' "$(cat body)" > "$file"
}
row base.json 3 5
row good.json 6 8
row same.json 4 4
for seed in 1 2 3; do
    echo "base $seed 1 base.json"
    echo "good $seed 1 good.json"
    echo "same $seed 1 same.json"
done > list
run 0 "$compare" list --claim C1=good-base --claim C2=same-base --report page --title 'A <small> one'
says out '| base | 3 | 40.0 ± 0.0 |'
says out '| good − base | C1 | 3 | 3 | +30.00 | +30.00 to +30.00 | 0.0004 | better |'
says out '| same − base | C2 | 3 | 3 | +0.00 | '
says page/index.html 'A &lt;small&gt; one'
says page/index.html '+30.00 to +30.00'
cp out first
run 0 "$compare" list --claim C1=good-base --claim C2=same-base; cmp out first || fail "the same seed, other intervals"
run 0 "$compare" list --margin 5;                says out '| no effect |'
run 0 "$compare" list --margin 1;                says out '| open |'
run 0 "$compare" list --json --baseline good --metric matching
says out '"metric": "matching"';                 says out '"verdict": "worse"'
run 2 "$compare" list --claim C1=good-none;      says err 'list has no row none'
run 2 "$compare" list --claim good;              says err 'expected NAME=ROW-ROW'
run 2 "$compare" list --metric speed;            says err 'expected family, garments'
run 2 "$compare" nowhere;                        says err nowhere
run 2 "$compare"
run 0 "$compare" --help;                         says out Example
echo "all of it passed"
