# laip-model on PyTorch's files and on a run's checkpoint: listed, converted both ways of naming and to another grid,
# compared; a run that starts from each; what does not fit is listed and refused.
set -euo pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
LAIP_GEMM=$("$build/tests/products")
export LAIP_GEMM
pth=$LAIP_SOURCE_DIR/tests/fixtures/pth
fail() { echo "$*"; exit 1; }
model() { "$build/laip-model" "$@"; }
refuses() { # WHAT COMMAND…: exit status 2 and one line that says WHAT
    local what=$1 status=0
    shift
    "$@" > "$work/out" 2> "$work/err" || status=$?
    [ $status = 2 ] && grep -q -- "$what" "$work/err" || fail "$*: status $status, $(cat "$work/err"), expected: $what"
}

model inspect "$pth/nested_zip.pth" > "$work/list"
grep -q '^F32   \[8, 6\] .* strided.transposed$' "$work/list" || fail "inspect: $(cat "$work/list")"
grep -q '18 tensors, 252 elements, 997 bytes' "$work/list" || fail "inspect: $(tail -n 1 "$work/list")"
model inspect --json "$pth/bare_stream.pth" > "$work/list"
grep -q '"form": "pth stream"' "$work/list" || fail "inspect --json"
for file in bare_zip bare_stream nested_zip nested_stream; do
    model convert "$pth/$file.pth" "$work/$file.safetensors" > /dev/null
    model diff "$work/$file.safetensors" "$pth/twin.safetensors" > "$work/diff" || fail "$file: $(cat "$work/diff")"
done
status=0
model diff "$pth/twin.safetensors" "$pth/state_dict.pth" > "$work/diff" || status=$?
[ $status = 1 ] && grep -q '18 and 4 only in one' "$work/diff" || fail "diff: status $status, $(tail -n 1 "$work/diff")"
for file in hostile_zip hostile_stream namespace; do # what would run, or be made, is left aside and named
    model diff "$pth/$file.pth" "$pth/twin.safetensors" > "$work/diff" 2> "$work/err" || fail "$file: $(cat "$work/diff")"
    grep -qE 'left aside: .*(posix.system|argparse.Namespace)' "$work/err" || fail "$file: $(cat "$work/err")"
done
refuses 'has no dictionary of tensors under the key nothing' model inspect --key nothing "$pth/nested_zip.pth"
refuses "No such file" model inspect "$work/none.pth"

"$build/laip-data" synth "$work/people" --persons 8 --val 2 --test 2 --images-per-person 2 --seed 3 > /dev/null
cat > "$work/run.yaml" <<EOF
model: {image_height: 32, image_width: 32, patch: 8, width: 32, heads: 2, mlp: 2, vit_layers: 1, text_layers: 1,
        cross_layers: 2, positions: 64, embed: 16, queue: 8, deviation: 0}
loss: {bidiratt_layer: 1}
data: {annotations: $work/people/reid_raw.json, vocab_size: 120, threads: 2}
batch: {micro_batch_size: 4, micro_batches: 1}
eval: {k: 2}
phases: [{name: one, steps: 2, lr: 1.0e-3, itc: 1, itm: 1, mpm: 1}]
EOF
train() { "$build/laip-train" "$work/run.yaml" "$@"; }
train --out "$work/a" > "$work/log" 2>&1 || fail "$(cat "$work/log")"
best=$work/a/best.safetensors

# the other way of naming is read as well, and gives the same run
model convert "$best" "$work/short.safetensors" --names short > /dev/null
model inspect "$work/short.safetensors" > "$work/list"
grep -q ' text_encoder.encoder.layer.0.output' "$work/list" || fail "--names short"
model diff "$best" "$work/short.safetensors" > /dev/null || fail "--names short changed the weights"
for from in "$best" "$work/short.safetensors"; do
    train --out "$work/b-$(basename "$from")" --set init.checkpoint="$from" > "$work/log" 2>&1 || fail "$(cat "$work/log")"
done
cmp "$work"/b-best.safetensors/metrics.jsonl "$work"/b-short.safetensors/metrics.jsonl || fail "other names gave another run"
grep -q 'renamed' "$work/log" || fail "no summary of what was loaded: $(cat "$work/log")"

# as the original code loads it: a .pth with all that theirs has, from which a run begins as from our own file
model convert "$best" "$work/their.pth" --to rasa > "$work/out"
model inspect "$work/their.pth" > "$work/list" 2> /dev/null
for name in 'F32 .* text_encoder.cls.predictions.decoder.weight' 'I64 .*\[1, 64\] .* text_encoder.bert.embeddings.position_ids' \
    'F32 .* visual_encoder_m.pos_embed' 'F32 .* text_encoder_m.bert.encoder.layer.2.output.dense.weight' \
    'F32 .* text_encoder_m.cls.predictions.decoder.bias'; do
    grep -qE "^$name\$" "$work/list" || fail "--to rasa: no $name"
done
status=0
model diff "$best" "$work/their.pth" > "$work/diff" 2> /dev/null || status=$?
[ $status = 1 ] && grep -qE '^[0-9]+ tensors the same, 0 differ, 0 of other shapes, 0 and [0-9]+ only in one' <(tail -n 1 "$work/diff") ||
    fail "--to rasa: $(tail -n 1 "$work/diff")"
train --out "$work/b-their" --set init.checkpoint="$work/their.pth" > "$work/log" 2>&1 || fail "$(cat "$work/log")"
cmp "$work"/b-best.safetensors/metrics.jsonl "$work"/b-their/metrics.jsonl || fail "--to rasa gave another run"
model convert "$work/a/last/state.safetensors" "$work/state.pth" --to albef --names short > /dev/null
model inspect "$work/state.pth" > "$work/list" 2> /dev/null
grep -q '^I64 .*\[1, 8\] .*idx_queue$' "$work/list" || fail "--to albef: $(grep queue "$work/list")"
grep -q ' text_encoder.encoder.layer.0.output' "$work/list" || fail "--to albef --names short"
if grep -q exp_avg "$work/list"; then fail "--to albef: moments"; fi
refuses 'expected albef or rasa' model convert "$best" "$work/x" --to other

# another grid: by convert, by its config, and by a run itself
model convert "$best" "$work/grid.safetensors" --grid 6x2 > "$work/out"
grep -q '1 positions resized' "$work/out" || fail "--grid: $(cat "$work/out")"
model inspect "$work/grid.safetensors" > "$work/list"
grep -q '\[1, 13, 32\]' "$work/list" || fail "--grid: $(cat "$work/list")"
sed 's/image_height: 32, image_width: 32/image_height: 48, image_width: 16/' "$work/run.yaml" > "$work/tall.yaml"
model convert "$best" "$work/tall.safetensors" --config "$work/tall.yaml" --vocab "$work/a/vocab.txt" --fill-momentum > "$work/out"
grep -q ' 0 momentum copies filled' "$work/out" && fail "--fill-momentum: $(cat "$work/out")"
"$build/laip-train" "$work/tall.yaml" --out "$work/c" --set init.checkpoint="$work/grid.safetensors" > "$work/log" 2>&1 ||
    fail "$(cat "$work/log")"
"$build/laip-train" "$work/tall.yaml" --out "$work/d" --set init.checkpoint="$work/tall.safetensors" > "$work/log" 2>&1 ||
    fail "$(cat "$work/log")"
cmp "$work/c/metrics.jsonl" "$work/d/metrics.jsonl" || fail "grids resized by convert and by its config differ"
"$build/laip-train" "$work/run.yaml" --out "$work/e" --set init.checkpoint="$work/grid.safetensors" > "$work/log" 2>&1 ||
    fail "a grid that is no square: $(cat "$work/log")"
grep -q '1 positions resized' "$work/log" || fail "no word of the resized positions: $(cat "$work/log")"

# evaluation of a checkpoint without metadata, by config and vocabulary
"$build/laip-eval" --checkpoint "$work/tall.safetensors" --data "$work/people" --k 2 --json > "$work/one" 2> "$work/log" ||
    fail "$(cat "$work/log")"
"$build/laip-eval" --checkpoint "$work/grid.safetensors" --config "$work/tall.yaml" --vocab "$work/a/vocab.txt" \
    --data "$work/people" --k 2 --json > "$work/two" 2> "$work/log" || fail "$(cat "$work/log")"
cmp <(grep 'R@' "$work/one") <(grep 'R@' "$work/two") || fail "config in the file and beside it differ"

# strict: what is missing, unexpected or misshapen
refuses 'is missing' train --out "$work/x" --set init.checkpoint="$pth/state_dict.pth"
refuses 'unexpected' train --out "$work/x" --set init.checkpoint="$pth/state_dict.pth" \
    --set init.allow_missing=visual_encoder,text_encoder,vision_proj,text_proj,itm_head,temp
refuses 'expected' train --out "$work/x" --set init.checkpoint="$best" --set model.embed=8
refuses 'no word_embeddings' model convert "$pth/bare_zip.pth" "$work/x" --config "$work/run.yaml"
sed 's/embed: 16/embed: 8/' "$work/run.yaml" > "$work/other.yaml"
refuses '0 missing, 4 of another shape, 0 unexpected' model convert "$best" "$work/x" --config "$work/other.yaml"
