#!/bin/bash
# laip-bench: what its subcommands print, and how they refuse.
set -u
. "$(dirname "$0")/../support/device.sh"
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

# A small model, made-up data: rates, parts, kernels, memory; launches do not depend on how often it is repeated.
small="--set model.image_height=32 --set model.image_width=32 --set model.width=32 --set model.heads=2
 --set model.vit_layers=1 --set model.text_layers=1 --set model.cross_layers=2 --set model.vocab=64
 --set model.embed=16 --set model.queue=9 --set loss.bidiratt_layer=1 --set gemm=clblast --tokens 9"
"$bench" step $small --micro 3 --phrases 2 --repeat 1 --json="$work/step.json" > "$work/step" || fail "step"
for line in "^step " "^pairs .* pairs/s" "^operations a second .* GFLOP/s .* %" "^part momentum pass .* x" \
    "^part image pass" "^part text pass" "^part cross pass" "^part losses" "^part cross backward" \
    "^part text backward" "^part image backward" "^part optimiser" "^part host" "^kernel clblast .* GFLOP/s" \
    "^kernel layernorm_forward .* GB/s" "^device: buffers" "^largest resident set"; do
    grep -q "$line" "$work/step" || fail "step prints no line '$line': $(cat "$work/step")"
done
for key in '"driver"' '"compiler"' '"config"' '"phrases": 2' '"launches"' '"of_peak"' \
    '"part": "cross backward"'; do
    grep -q "$key" "$work/step.json" || fail "step's JSON has no $key"
done
"$bench" step $small --micro 3 --phrases 2 --repeat 3 --json > "$work/again.json" || fail "step again"
launches() { grep -A4 '"kernel ' "$1" | grep -E '"name"|"launches"' | paste - - | sort; }
[ "$(launches "$work/step.json")" = "$(launches "$work/again.json")" ] || fail "other launches in another run"
[ "$(launches "$work/step.json" | wc -l)" -gt 30 ] || fail "few kernels: $(launches "$work/step.json")"
"$bench" compare "$work/step.json" "$work/again.json" | grep -q "^kernel clblast .* times as fast" || fail "comparing steps"
root=
[ "$(id -u)" = 0 ] && root=--allow-run-as-root
POCL_MAX_PTHREAD_COUNT=1 mpirun $root --oversubscribe --bind-to none -n 2 "$bench" step $small --micro 3 \
    --device "$(auto_device "$1")" --set batch.micro_batches=2 --repeat 1 > "$work/ranks" 2> "$work/errors" || fail "two ranks: $(cat "$work/errors")"
for line in "^exchange between ranks .* ms" "^part exchange" "^part momentum pass"; do
    [ "$(grep -c "$line" "$work/ranks")" = 1 ] || fail "two ranks print no line '$line', or two: $(cat "$work/ranks")"
done
"$bench" eval $small --images 2 --captions 5 --captions-per-image 7 --repeat 1 > "$work/eval" || fail "eval"
for line in "^images encoded .* images/s" "^captions encoded .* captions/s" "^pairs re-ranked .* pairs/s" \
    "^pairs re-ranked, the picture encoded before .* pairs/s" \
    "^re-ranking: part keys and values" "^images: kernel clblast" "^captions: part text pass" "^device: buffers"; do
    grep -q "$line" "$work/eval" || fail "eval prints no line '$line': $(cat "$work/eval")"
done

"$bench" ops rows --time 0.01 > "$work/rows" || fail "ops rows"
for line in "^layernorm.* forward .* GB/s .* of a copy" "^gelu.* backward .* GB/s" "^softmax cross-entropy .* GB/s" "^adamw.* GB/s" \
    "^momentum move.* GB/s" "^contrast and its scores.* GFLOP/s"; do
    grep -q "$line" "$work/rows" || fail "ops rows prints no line '$line': $(cat "$work/rows")"
done
grep "GB/s.*%" "$work/step" "$work/rows" && fail "a share of a limit that caches exceed"
"$bench" ops attention --time 0.01 > "$work/attention" || fail "ops attention"
for shape in "self, 577 tokens" "27-token captions on 577 keys" "phrases of 3 to 5 tokens"; do
    for way in "forward" "backward" "forward and backward"; do
        grep -q "^attention, $shape.*: $way .* GFLOP/s .* %" "$work/attention" || fail "no $shape, $way"
    done
done

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
refused 2 "batch.siz is no setting" step --set batch.siz=3
refused 2 "the model takes texts of at most 512" eval --tokens 513
refused 2 "the configuration has 0 phases" step --phase 0
LAIP_SHAPE=gpu refused 2 "gemm is packed, expected auto, clblast" step --set gemm=packed
LAIP_GEMM=fast refused 2 "LAIP_GEMM is fast, expected auto" step
refused 2 "gemm is fast, expected auto, packed, unit, plain, clblast or reference" step --set gemm=fast
refused 2 "batch.micro is auto" step --set batch.micro=auto
refused 2 "whole number of at least 1" step --micro 0
refused 2 "no/such" step no/such.yaml
refused 2 "no such device" eval --device "no such thing"
refused 1 "no/such/place" peak --json=no/such/place
echo '{}' > "$work/empty.json"
refused 2 'found no list "results"' compare "$work/empty.json" "$work/a.json"
exit 0
