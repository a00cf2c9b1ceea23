# laip-data pixels: what it writes, what it refuses, how it explains itself.  $1: build folder.
set -eu
data=$1/laip-data
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() { echo "FAILED: $*" >&2; exit 1; }
run() { status=$1; shift; got=0; "$@" > out 2> err || got=$?; [ "$got" = "$status" ] || { cat err; fail "$* ended with $got, not $status"; }; }
says() { grep -qF -- "$2" "$1" || { cat "$1"; fail "no '$2' in $1"; }; }
one_line() { [ "$(wc -l < err)" = 1 ] || { cat err; fail "not one line"; }; }
bytes() { for b in $(echo "$1" | sed 's/../& /g'); do printf "\\$(printf %o "0x$b")"; done; }

# A PNG of 2 × 1 pixels, red and green, stored without compression; one with EXIF that says "turn right" (6); the
# head of one that claims 20000 × 10000 pixels.
signature=89504e470d0a1a0a
head=0000000d49484452000000020000000108020000007b40e8dd
exif=0000001a655849664d4d002a00000008000101120003000000010006000000000000d6674b69
pixels=00000012494441547801010700f8ff00ff000000ff0007ff01ffc50ee26a
end=0000000049454e44ae426082
huge=0000000d4948445200004e200000271008020000007646dff5
bytes $signature$head$pixels$end > flat.png
bytes $signature$head$exif$pixels$end > turned.jpg
bytes $signature$huge$pixels$end > huge.png

run 0 "$data" pixels flat.png --ppm -
{ printf 'P6\n2 1\n255\n'; bytes ff000000ff00; } | cmp - out
run 0 "$data" pixels turned.jpg --ppm turned.ppm
{ printf 'P6\n1 2\n255\n'; bytes ff000000ff00; } | cmp - turned.ppm
[ ! -s out ] || fail "something on standard output"
run 0 "$data" pixels --no-exif turned.jpg --ppm=flat.ppm
{ printf 'P6\n2 1\n255\n'; bytes ff000000ff00; } | cmp - flat.ppm
run 0 "$data" pixels flat.png --resize 3x2 --ppm -
{ printf 'P6\n2 3\n255\n'; bytes ff000000ff00ff000000ff00ff000000ff00; } | cmp - out
run 0 "$data" pixels turned.jpg --resize 2x1 --ppm -
{ printf 'P6\n1 2\n255\n'; bytes ff000000ff00; } | cmp - out

run 2 "$data" pixels no.png --ppm x;                       says err 'laip-data pixels: no.png'; one_line
run 2 "$data" pixels huge.png --ppm x;                     says err '20000 x 10000'; says err '178956970'; one_line
echo 'no picture' > text.png
run 2 "$data" pixels text.png --ppm x;                     says err 'text.png'; says err 'JPEG or PNG'; one_line
printf GIF89a > gif.png
run 2 "$data" pixels gif.png --ppm x;                      says err 'GIF'; one_line
: > empty.png
run 2 "$data" pixels empty.png --ppm x;                    says err 'empty'; one_line
head -c 50 flat.png > cut.png
run 2 "$data" pixels cut.png --ppm x;                      says err 'truncated'; one_line
run 2 "$data" pixels . --ppm x;                            one_line
[ ! -e x ] || fail "a file was left behind"
for size in 3 x3 3x 0x5 5x0 3x2x1 -3x2 99999x1 60000x60000 3x2a; do
    run 2 "$data" pixels flat.png "--resize=$size" --ppm x; says err 'resize'
done
run 2 "$data" pixels --ppm x;                              says err 'FILE'
run 2 "$data" pixels flat.png;                             says err '--ppm'
run 2 "$data" pixels flat.png turned.jpg --ppm x;          says err 'turned.jpg'
run 2 "$data" pixels --no-such-flag
run 1 "$data" pixels flat.png --ppm no/where.ppm;          says err 'no/where.ppm'; one_line
run 1 sh -c "'$data' pixels flat.png --resize 400x400 --ppm - > /dev/full"; says err 'standard output'; one_line
run 0 "$data" pixels --help;    says out Example
run 0 "$data" pixels --version; says out laip-data
run 0 "$data" --help;           says out pixels
echo "all of it passed"
