# liblaip as others have it: installed, found by pkg-config and by CMake, the example built with both and run, once under
# AddressSanitizer; the header read by a C++ compiler; two threads at once; of symbols only laip_…; no MPI and no cairo.
set -euo pipefail
build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
LAIP_GEMM=$("$build/tests/products")
export LAIP_GEMM
fail() { echo "$*"; exit 1; }
cmake --install "$build" --prefix "$work/usr" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
library=$(dirname "$(find "$work/usr" -name liblaip.so)")
[ -n "$library" ] || fail "no liblaip.so is installed"
PKG_CONFIG_PATH=$library/pkgconfig
LD_LIBRARY_PATH=$library
export PKG_CONFIG_PATH LD_LIBRARY_PATH

[ "$(ls "$work/usr/include/laip" | xargs)" = 'laip.h status.h' ] || fail "headers: $(ls "$work/usr/include/laip")"
nm -D --defined-only "$library/liblaip.so" | awk '{ print $3 }' > "$work/symbols"
[ "$(wc -l < "$work/symbols")" -gt 30 ] || fail "only $(wc -l < "$work/symbols") symbols"
! grep -v '^laip_' "$work/symbols" || fail "symbols that are not laip_"
for name in $(grep -o '^LAIP_API .*' "$work/usr/include/laip/laip.h" | grep -o 'laip_[a-z_]*(' | tr -d '('); do
    grep -qx "$name" "$work/symbols" || fail "$name is declared and not there"
done
[ "$(wc -l < "$work/symbols")" = "$(grep -c '^LAIP_API' "$work/usr/include/laip/laip.h")" ] || fail "more symbols than laip.h declares"
! ldd "$library/liblaip.so" | grep -E 'libmpi|libcairo|microhttpd' || fail "what liblaip does not need"

"$build/laip-data" synth "$work/people" --persons 6 --val 2 --test 2 --images-per-person 2 --seed 3 > /dev/null
cat > "$work/run.yaml" <<EOF
model: {image_height: 32, image_width: 16, patch: 8, width: 32, heads: 2, mlp: 2, vit_layers: 1, text_layers: 1,
        cross_layers: 2, positions: 64, embed: 16, queue: 24, dropout: 0.1, deviation: 0}
loss: {bidiratt_layer: 1}
data: {annotations: $work/people/reid_raw.json, vocab_size: 200}
batch: {micro_batch_size: 4}
phases:
  - {name: one, steps: 3, warmup: 1, lr: 1.0e-3, itc: 1, itm: 1, mpm: 1}
EOF
"$build/laip-train" "$work/run.yaml" --out "$work/run" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
model=$work/run/best.safetensors

cd "$LAIP_SOURCE_DIR/tools/example"
cc -std=c11 -Wall -Wextra -Werror find.c $(pkg-config --cflags --libs laip) -o "$work/find"
"$work/find" "$model" "$work/people" 'a woman in a red coat' > "$work/found" || fail "the example failed"
[ "$(grep -c '\.' "$work/found")" = 5 ] || fail "the example found $(cat "$work/found")"
cmake -S . -B "$work/example" -DCMAKE_PREFIX_PATH="$work/usr" > "$work/log" 2>&1 && cmake --build "$work/example" >> "$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
"$work/example/find" "$model" "$work/people" 'a woman in a red coat' | cmp - "$work/found" || fail "built by CMake, it finds others"
cc -std=c11 -g -fsanitize=address,undefined find.c $(pkg-config --cflags --libs laip) -o "$work/checked"
"$work/checked" "$model" "$work/people" 'a woman in a red coat' > "$work/again" 2> "$work/err" ||
    grep -q 'LeakSanitizer has encountered a fatal error' "$work/err" || fail "under AddressSanitizer: $(cat "$work/err")" # a traced process
cmp "$work/again" "$work/found" || fail "under AddressSanitizer, it finds others"
status=0
"$work/find" "$model" "$work/people" ' ' 2> "$work/err" || status=$?
[ $status = 2 ] && grep -q 'empty' "$work/err" || fail "an empty sentence: status $status, $(cat "$work/err")"

printf '#include <laip/laip.h>\nint main() { return laip_version()[0] == 0; }\n' > "$work/header.cpp"
c++ -Wall -Wextra -Wpedantic -Werror "$work/header.cpp" $(pkg-config --cflags --libs laip) -o "$work/header"
"$work/header" || fail "from C++"
cc -std=c11 -g -Wall -Wextra -Werror "$LAIP_SOURCE_DIR/tests/library/threads.c" $(pkg-config --cflags --libs laip) -lm -pthread -o "$work/threads"
"$work/threads" "$model" "$work/people" || fail "two threads"
"$build/laip-train" "$work/run.yaml" --set compat.exif=ignored --out "$work/asis" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$work/threads" "$work/asis/best.safetensors" "$work/people" ignored || fail "a network that ignores EXIF"
"$work/usr/bin/laip-search" --version > /dev/null || fail "the installed program does not find its library"
