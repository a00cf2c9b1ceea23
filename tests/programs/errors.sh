# Bad input gets one line that says what and where, and exit status 2.
set -euo pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
LAIP_GEMM=$("$build/tests/products")
export LAIP_GEMM
"$build/laip-data" synth "$work/people" --persons 8 --val 2 --test 2 --images-per-person 1 > /dev/null
data=$work/people/reid_raw.json
cat > "$work/run.yaml" <<EOF
model: {image_height: 16, image_width: 16, patch: 8, width: 16, heads: 2, mlp: 1, vit_layers: 1, text_layers: 1,
        cross_layers: 1, positions: 64, embed: 8, queue: 8, dropout: 0}
loss: {bidiratt_layer: 1}
data: {annotations: $data, vocab_size: 100, threads: 1}
batch: {micro_batch_size: 2}
eval: {every: 1}
phases: [{name: one, steps: 1, itc: 1, itm: 1}]
EOF
# expect WORDS COMMAND…: exit status 2, and the last line of standard error holds WORDS
expect() {
    local words=$1 status=0
    shift
    "$@" > /dev/null 2> "$work/error" || status=$?
    [ $status -eq 2 ] || { echo "exit status $status, expected 2: $*"; cat "$work/error"; exit 1; }
    [ "$(grep -c '^laip-' "$work/error")" = 1 ] || { echo "not one line of error: $*"; cat "$work/error"; exit 1; }
    tail -n 1 "$work/error" | grep -qF -- "$words" || { echo "no '$words' from: $*"; cat "$work/error"; exit 1; }
}
train=("$build/laip-train" "$work/run.yaml" --out "$work/out" --overwrite)
expect "$work/none.yaml" "$build/laip-train" "$work/none.yaml"
expect "none.json" "${train[@]}" --set "data.annotations=$work/none.json"
expect "did you mean" "${train[@]}" --set model.widht=16
expect "multiple" "${train[@]}" --set model.width=17
expect "phases 0 to 0" "${train[@]}" --from-phase 1
expect "no such device" "${train[@]}" --device "no-such-device"
echo '{"images": 3}' > "$work/wrong.json"
expect "wrong.json" "${train[@]}" --set "data.annotations=$work/wrong.json"
echo '[{"split": "train", "captions": ["a man"], "id": 1}]' > "$work/missing.json"
expect "file_path" "${train[@]}" --set "data.annotations=$work/missing.json"
"${train[@]}" > /dev/null 2>&1
expect "expected" "${train[@]}" --set model.width=32 --set "init.checkpoint=$work/out/best.safetensors"
head -c 500 "$work/out/best.safetensors" > "$work/cut.safetensors"
expect "cut.safetensors" "$build/laip-eval" --checkpoint "$work/cut.safetensors" --data "$data"
# the figure of a family wants families, and the one that is asked for
figure=("$build/laip-eval" --checkpoint "$work/out/best.safetensors" --family-figure "$work/family.png" --data)
expect "has no families" "${figure[@]}" "$data"
"$build/laip-data" synth "$work/families" --bind --persons 4 --val 4 --test 8 --images-per-person 1 > /dev/null
expect "no family 9: expected one of 2 to 3" "${figure[@]}" "$work/families" --family 9
if "$build/laip-eval" --checkpoint none --data "$data" --family 2 2> "$work/error"; then exit 1; fi
grep -q -e '--family: expected --family-figure' "$work/error"
[ ! -e "$work/family.png" ] || { echo "a figure was drawn of no family"; exit 1; }
# a folder is the data set in it, for every program; a list without splits is never divided unsaid
"$build/laip-data" check "$work/people" > /dev/null
"$build/laip-eval" --checkpoint "$work/out/best.safetensors" --data "$work/people" > "$work/eval" 2> /dev/null
"$build/laip-eval" --checkpoint "$work/out/best.safetensors" --data "$data" 2> /dev/null | cmp - "$work/eval"
"${train[@]}" --set "data.annotations=$work/people" > /dev/null 2>&1
grep -v '"split"' "$data" > "$work/people/whole.json"
whole=("${train[@]}" --set "data.annotations=$work/people/whole.json")
expect "has no splits, so that val would be what is trained on" "${whole[@]}"
"${whole[@]}" --set data.split.val=2 --set data.split.test=2 > "$work/log" 2>&1
grep -q 'has no splits; by data.split 2 of its pictures are val' "$work/log"
"${whole[@]}" --set data.val_split= > "$work/log" 2>&1
grep -q 'has no splits: all of its 12 pictures are taken as train' "$work/log"
"$build/laip-data" check "$work/people/whole.json" | grep -q 'data.split.val and data.split.test hold back'
# missing pictures are counted and named, and left out on request
gone=$(find "$work/people/imgs" -type f | sort | head -n 1)
mv "$gone" "$work/gone"
expect "data.bad_images: skip leaves them out" "${train[@]}"
"${train[@]}" --set data.bad_images=skip > "$work/log" 2>&1
grep -q "1 of . pictures are not under .* and are left out: .*$(basename "$gone")" "$work/log"
"$build/laip-data" check "$work/people" > "$work/log" && exit 1
grep -q 'data.bad_images=skip trains and evaluates without' "$work/log"
mv "$work/gone" "$gone"
for picture in "$work"/people/imgs/*/*; do echo "no picture" > "$picture"; done
expect "expected a JPEG or PNG picture" "${train[@]}"
