# A small run of both phases with all losses and dropout: the same bits twice, the same bits when it is broken off and
# resumed, the same numbers up to rounding with two ranks; then evaluation and the plan.
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

train "$work/a"
cp -r "$work/a" "$work/first"
train "$work/a" --overwrite
cmp "$work/first/metrics.jsonl" "$work/a/metrics.jsonl" || fail "the same seed gave other numbers"
cmp "$work/first/best.safetensors" "$work/a/best.safetensors" || fail "the same seed gave other weights"
[ "$(grep -c '"itc"' "$work/a/metrics.jsonl")" = 9 ] || fail "metrics.jsonl has not a line a step"
grep -q '"bidiratt":0,' <(tail -n 2 "$work/a/metrics.jsonl") && fail "the second phase had no BidirAtt"

grep -q 'next: laip-eval' "$work/log" || fail "the last line does not say what to do next"
grep -q '"temperature":0\.[0-9]*,"grad_norm":[0-9]' "$work/a/metrics.jsonl" || fail "metrics lack temperature or gradient norm"

# broken off once a state is there, and resumed
rm -rf "$work/a"
( "$build/laip-train" "$work/run.yaml" --out "$work/a" > "$work/log" 2>&1 ) &
job=$!
while [ ! -f "$work/a/last/state.safetensors" ] && kill -0 $job 2> /dev/null; do
    sleep 0.02
done
kill -9 $job 2> /dev/null || true
wait $job 2> /dev/null || true
[ -f "$work/a/last/state.safetensors" ] || fail "no state was saved"
train "$work/a" --resume
cmp "$work/first/last/state.safetensors" "$work/a/last/state.safetensors" || fail "resumed, the run ended with other weights"
cmp "$work/first/metrics.jsonl" "$work/a/metrics.jsonl" || fail "resumed, the run wrote other numbers"

# activations made again instead of kept: the same bits
train "$work/again" --set batch.recompute=true
cmp "$work/first/metrics.jsonl" "$work/again/metrics.jsonl" || fail "batch.recompute gave other numbers"

# the whole step as one micro-batch, as it fits
train "$work/auto" --set batch.micro=auto
grep -q 'micro_batch_size: 8$' "$work/auto/config.yaml" || fail "batch.micro=auto did not take 8 pairs: $(cat "$work/auto/config.yaml")"

# one phase after the other by hand: the second alone, from the first's weights
train "$work/part" --to-phase 0 --quiet
[ ! -s "$work/log" ] || fail "--quiet printed: $(cat "$work/log")"
[ "$(grep -c '"itc"' "$work/part/metrics.jsonl")" = 3 ] || fail "--to-phase 0 did not take 3 steps"
train "$work/rest" --from-phase 1 --set init.checkpoint="$work/part/best.safetensors"
[ "$(grep -c '"itc"' "$work/rest/metrics.jsonl")" = 6 ] || fail "--from-phase 1 did not take 6 steps"

root=
[ "$(id -u)" -ne 0 ] || root=--allow-run-as-root
POCL_MAX_PTHREAD_COUNT=1 mpirun $root --oversubscribe --bind-to none -n 2 "$build/laip-train" "$work/run.yaml" \
    --device "$(auto_device "$build")" --out "$work/two" --trace "$work/trace.json" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
paste <(grep '"itc"' "$work/first/metrics.jsonl" | sed 's/.*"total"://; s/}//') \
      <(grep '"itc"' "$work/two/metrics.jsonl" | sed 's/.*"total"://; s/}//') |
    awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 2e-3 * $1) bad = 1; n++ } END { exit bad || n != 9 }' ||
    fail "two ranks gave other losses than one: $(cat "$work/two/metrics.jsonl")"

for rank in 0 1; do
    for kind in compute transfers communication; do
        grep -q "\"cat\":\"$kind\",\"pid\":$rank," "$work/trace.json" || fail "the trace has no $kind of rank $rank"
    done
done
grep -q '"hidden":' "$work/two/timing.jsonl" || fail "timing.jsonl does not say what was hidden"
for chart in 'Seconds a step' 'Communication, share' 'Waiting for data' 'Memory of the first rank' 'process [0-9]' \
    'buffers on the device' 'Learning rate' 'Norm of the gradient'; do
    grep -q "$chart" "$work/two/report/index.html" || fail "the run's page does not draw: $chart"
done

"$build/laip-eval" --checkpoint "$work/first/best.safetensors" --data "$work/people" --split test --k 4 --json --chance \
    > "$work/eval.json" 2> "$work/log" || { cat "$work/log"; exit 1; }
grep -q '"queries": 16' "$work/eval.json" || fail "evaluation: $(cat "$work/eval.json")"
"$build/laip-eval" --checkpoint "$work/first/best.safetensors" --data "$work/people" --k 4 --show 3 \
    --contact-sheet "$work/sheet.png" > "$work/show" 2> "$work/log" || { cat "$work/log"; exit 1; }
[ "$(grep -c '^"' "$work/show")" = 3 ] || fail "--show 3: $(cat "$work/show")"
"$build/laip-data" pixels "$work/sheet.png" --ppm "$work/sheet.ppm" > /dev/null || fail "the sheet is no picture"
[ "$(head -c 15 "$work/sheet.ppm" | sed -n 2p)" = "1220 946" ] || fail "the sheet is $(head -c 15 "$work/sheet.ppm") pixels"
"$build/laip-data" synth "$work/families" --bind --persons 4 --val 4 --test 8 --images-per-person 2 > /dev/null
"$build/laip-eval" --checkpoint "$work/rest/best.safetensors" --data "$work/families" --k 0 --family-figure "$work/family.png" \
    --family 3 > /dev/null 2> "$work/log" || { cat "$work/log"; exit 1; }
"$build/laip-data" pixels "$work/family.png" --ppm "$work/family.ppm" > /dev/null || fail "the figure of a family is no picture"
[ "$(sed -n 2p "$work/family.ppm" | cut -d ' ' -f 1)" = 1968 ] || fail "the figure of a family is $(head -c 15 "$work/family.ppm") pixels"
"$build/laip-eval" --checkpoint "$work/rest/best.safetensors" --data "$work/people" --k 8 --show 2 --report "$work/page" \
    > /dev/null 2> "$work/log" || { cat "$work/log"; exit 1; }
for page in "$work/page/index.html" "$work/rest/report/index.html"; do
    [ "$(grep -c '</html>' "$page")" = 1 ] || fail "$page is no whole page"
    ! grep -qE '(src|href|action)="?[a-z]*:?//' "$page" || fail "$page asks for something from elsewhere"
done
[ "$(grep -oE 'class="(right)?" alt=' "$work/page/index.html" | wc -l)" = 48 ] || fail "not six captions with all eight pictures"
[ "$(grep -o 'alt="backward"' "$work/page/index.html" | wc -l)" -gt 5 ] || fail "no maps of attention"
"$build/laip-eval" --checkpoint "$work/first/best.safetensors" --data "$work/people" --plan 2> /dev/null |
    grep -q 'in all .* bytes' || fail "no plan of an evaluation"
"$build/laip-train" "$work/run.yaml" --out "$work/plan" --plan 2> /dev/null | grep -q 'in all .* bytes' || fail "no plan"
[ ! -e "$work/plan" ] || fail "--plan left a run folder"
