# Weights and activations stored as halves, in training and evaluation: losses near those of floats, the same bits when
# activations are made again and when a run is broken off and resumed; two ranks; checkpoints serve both kinds of storage.
set -euo pipefail
. "$(dirname "$0")/../support/device.sh"
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
LAIP_GEMM=$("$build/tests/products")
export LAIP_GEMM
"$build/laip-data" synth "$work/people" --persons 12 --val 4 --test 4 --images-per-person 2 --seed 3 > /dev/null
cat > "$work/run.yaml" <<EOF
model: {image_height: 32, image_width: 16, patch: 8, width: 32, heads: 2, mlp: 2, vit_layers: 1, text_layers: 1,
        cross_layers: 2, positions: 64, embed: 16, queue: 24, dropout: 0.1, deviation: 0}
loss: {bidiratt_layer: 1, momentum: 0.9, distill_alpha: 0.4}
optimiser: {clip_norm: 1}
data: {annotations: $work/people/reid_raw.json, vocab_size: 200, pad: 2, threads: 2}
batch: {micro_batch_size: 4, micro_batches: 2}
eval: {k: 4, every: 3}
phases:
  - {name: one, steps: 3, warmup: 1, lr: 1.0e-3, itc: 1, itm: 1}
  - {name: two, steps: 6, warmup: 1, lr: 1.0e-3, itc: 1, itm: 1, triplet: 1, bidiratt: 1, mpm: 1, mlm: 1}
EOF
fail() { echo "$*"; exit 1; }
train() { "$build/laip-train" "$work/run.yaml" --out "$@" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }
totals() { grep '"itc"' "$1/metrics.jsonl" | sed 's/.*"total"://; s/}//'; }
near() { # RUN RUN WHAT [LIMIT]: totals of nine steps
    paste <(totals "$1") <(totals "$2") |
        awk -v limit="${4:-5e-3}" '{ d = $1 - $2; if (d < 0) d = -d; if (d > limit * $1) bad = 1; n++ } END { exit bad || n != 9 }' ||
        fail "$3: $(paste <(totals "$1") <(totals "$2"))"
}

train "$work/floats"
train "$work/halves" --set storage=half
near "$work/floats" "$work/halves" "floats and halves gave other losses"
train "$work/bfloats" --set storage=bfloat16
near "$work/floats" "$work/bfloats" "floats and bfloat16 gave other losses" 2e-2
cmp -s <(totals "$work/floats") <(totals "$work/bfloats") && fail "bfloat16 gave the very numbers of floats"
grep -q loss_scale "$work/bfloats/metrics.jsonl" && fail "the loss is scaled for bfloat16"
cmp -s <(totals "$work/floats") <(totals "$work/halves") && fail "halves gave the very numbers of floats"
train "$work/again" --set storage=half --set batch.recompute=true
cmp "$work/halves/metrics.jsonl" "$work/again/metrics.jsonl" || fail "batch.recompute gave other numbers"

# broken off once a state is there, and resumed
mv "$work/halves" "$work/whole"
"$build/laip-train" "$work/run.yaml" --out "$work/halves" --set storage=half > "$work/log" 2>&1 &
job=$!
while [ ! -f "$work/halves/last/state.safetensors" ] && kill -0 $job 2> /dev/null; do
    sleep 0.02
done
kill -9 $job 2> /dev/null || true
wait $job 2> /dev/null || true
train "$work/halves" --set storage=half --resume
cmp "$work/whole/last/state.safetensors" "$work/halves/last/state.safetensors" || fail "resumed, it ended with other weights"
grep -a -q '"loss_scale": *"65536 9 0"' "$work/halves/last/state.safetensors" || fail "not nine good steps at a scale of 65536"

root=
[ "$(id -u)" -ne 0 ] || root=--allow-run-as-root
POCL_MAX_PTHREAD_COUNT=1 mpirun $root --oversubscribe --bind-to none -n 2 "$build/laip-train" "$work/run.yaml" \
    --device "$(auto_device "$build")" --out "$work/two" --set storage=half > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
near "$work/halves" "$work/two" "two ranks gave other losses than one"

# each kind's weights, evaluated with others
for run in floats halves bfloats; do
    for storage in float half bfloat16; do
        [ "$run-$storage" != halves-bfloat16 ] && [ "$run-$storage" != bfloats-half ] || continue
        "$build/laip-eval" --checkpoint "$work/$run/best.safetensors" --data "$work/people" --split test --k 4 \
            --storage $storage > "$work/$run-$storage" 2> "$work/log" || { cat "$work/log"; exit 1; }
        grep -q 'by both' "$work/$run-$storage" || fail "$run by $storage: $(cat "$work/$run-$storage")"
    done
done
status=0
"$build/laip-eval" --checkpoint "$work/floats/best.safetensors" --data "$work/people" --storage quarter 2> "$work/log" ||
    status=$?
[ "$status" = 2 ] && grep -q 'one of float, half, bfloat16' "$work/log" || fail "--storage quarter: $status, $(cat "$work/log")"

# memory: what the plan says of a step's buffers
plan() {
    "$build/laip-train" "$work/run.yaml" --out "$work/plan" --set storage="$1" --plan 2> /dev/null |
        sed -n 's/^phase two .*step buffers *\([0-9]*\) bytes.*/\1/p'
}
[ "$(plan float)" -gt "$(plan half)" ] || fail "halves take no less: $(plan float), $(plan half)"

# a search by less than floats: other scores, near theirs; precision on a unit, which LAIP_UNIT gives any device
"$build/laip-search" index "$work/floats/best.safetensors" "$work/people" -o "$work/g" --quiet 2> "$work/log" || { cat "$work/log"; exit 1; }
query() { # NAME OPTION…: scores of the four best, re-ranked
    local name=$1
    shift
    "$build/laip-search" query "$work/g" 'a man in a red coat' --top 4 --rerank 4 --json "$@" > "$work/found" 2> "$work/log" ||
        { cat "$work/log"; exit 1; }
    grep -o '"score": *[-+0-9.e]*' "$work/found" | sed 's/.*: *//' | sort -g > "$work/scores-$name"
    [ "$(wc -l < "$work/scores-$name")" = 4 ] || fail "$name: $(cat "$work/found")"
}
close_by() { # NAME NAME: not the same scores, and none further off than 0.1
    ! cmp -s "$work/scores-$1" "$work/scores-$2" && paste "$work/scores-$1" "$work/scores-$2" |
        awk '{ d = $1 - $2; if (d > 0.1 || d < -0.1) bad = 1 } END { exit bad }' ||
        fail "$1 and $2: $(paste "$work/scores-$1" "$work/scores-$2")"
}
query floats
query halves --storage half
close_by floats halves
(
    export LAIP_SHAPE=gpu LAIP_GEMM=unit LAIP_UNIT=rounded
    query fp32
    query bf16 --precision bf16
)
close_by fp32 bf16
status=0
"$build/laip-search" query "$work/g" 'a man' --precision half 2> "$work/log" || status=$?
[ "$status" = 2 ] && grep -q 'one of fp32, tf32, bf16, fp16' "$work/log" || fail "--precision half: $status, $(cat "$work/log")"
