# One rank's trouble ends the whole job at once, with that rank's line last: a configuration that none can read, and a
# damaged picture that one of them comes upon while the others wait.
set -euo pipefail
. "$(dirname "$0")/../support/ranks.sh"
run() { timeout 120 mpirun --oversubscribe --bind-to none -n 2 "$build/laip-train" --device "$device" "$@" > "$work/out" 2> "$work/log"; }

status=0
run "$work/none.yaml" --out "$work/run" || status=$?
[ "$status" -eq 2 ] || fail "a missing configuration ended the job with status $status"
grep -q "^laip-train: rank [01]: $work/none.yaml: cannot be read" "$work/log" || fail "no line of a rank names the missing file"

"$build/laip-data" synth "$work/people" --persons 8 --val 1 --test 1 --images-per-person 2 --seed 3 > /dev/null
picture=$(find "$work/people/imgs" -name '*.jpg' -o -name '*.png' | sort | sed -n 1p)
head -c 200 "$picture" > "$work/cut"
cat > "$work/run.yaml" <<EOF
model: {image_height: 32, image_width: 16, patch: 8, width: 32, heads: 2, mlp: 2, vit_layers: 1, text_layers: 1,
        cross_layers: 1, positions: 64, embed: 16, queue: 24}
loss: {bidiratt_layer: 1}
data: {annotations: $work/people/reid_raw.json, vocab_size: 200, threads: 1}
batch: {micro_batch_size: 2, micro_batches: 2}
eval: {k: 0}
phases:
  - {name: one, steps: 200, warmup: 1, lr: 1.0e-3, itc: 1, itm: 1}
EOF
cp "$work/cut" "$picture"
status=0
run "$work/run.yaml" --out "$work/run" || status=$?
[ "$status" -eq 2 ] || fail "a damaged picture ended the job with status $status"
grep -q "^laip-train: rank [01]: .*${picture#"$work/people/imgs/"}" "$work/log" || fail "no line names the damaged picture"
[ ! -e "$work/run/best.safetensors" ] || fail "the job went on to its end"
