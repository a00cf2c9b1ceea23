# laip-data synth: what it writes, that its bytes follow from the seed, what it refuses.  $1: build folder.
set -eu
data=$1/laip-data
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() { echo "FAILED: $*" >&2; exit 1; }
run() { status=$1; shift; got=0; "$@" > out 2> err || got=$?; [ "$got" = "$status" ] || { cat err; fail "$* ended with $got, not $status"; }; }
says() { grep -qF -- "$2" "$1" || { cat "$1"; fail "no '$2' in $1"; }; }
one_line() { [ "$(wc -l < err)" = 1 ] || { cat err; fail "not one line"; }; }

small="--persons 11 --val 2 --test 3 --images-per-person 2"
run 0 "$data" synth a $small --seed 9;              says out '16 persons (11 train, 2 val, 3 test), 32 pictures'
run 0 "$data" synth b $small --seed 9 --threads 1;  diff -r a b || fail "the same seed, other bytes"
run 0 "$data" synth c $small --seed 10;             ! diff -r a c > /dev/null || fail "another seed, the same bytes"
[ "$(find a/imgs -type f | wc -l)" = 32 ] || fail "not 32 pictures"
[ "$(find a -name '*.tmp*' | wc -l)" = 0 ] || fail "something unfinished was left"
run 0 "$data" check a/reid_raw.json --images a

families="--bind --persons 8 --val 4 --test 16 --galleries 2 --images-per-person 1"
run 0 "$data" synth f $families;                    says out 'binding.json'
run 0 "$data" synth g $families --threads 1;        diff -r f g || fail "the same seed, other families"
[ "$(grep -c '"split": "test[12]"' f/reid_raw.json)" = 16 ] || fail "not two galleries of eight persons"
[ "$(grep -c '"member"' f/binding.json)" = 28 ] || fail "not 28 persons of families"
run 0 "$data" synth h --control --singles --persons 3 --val 0 --test 4 --images-per-person 1
run 2 "$data" synth e --bind --persons 6;                says err 'whole families'; one_line
run 2 "$data" synth e --bind --persons 8 --test 12 --galleries 2; says err 'galleries alike'; one_line
run 2 "$data" synth e --singles;                         says err 'expected bind or control'; one_line

: > file
run 2 "$data" synth d --persons 0;              says err '0 persons'; one_line; [ ! -e d ] || fail "d was made"
run 2 "$data" synth d --images-per-person 0;    says err '0 pictures'; one_line
run 2 "$data" synth file/d $small;              says err 'file/d'; one_line
run 2 "$data" synth d --persons many;           says err 'many'
run 2 "$data" synth d --persons -3;             says err '-3'
run 2 "$data" synth
run 2 "$data" synth d --no-such-flag
run 0 "$data" synth --help;                     says out Example; says out '--test'
run 0 "$data" synth --version;                  says out laip-data
echo "all of it passed"
