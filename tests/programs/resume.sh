# A run over ranks that was broken off goes on to the same end: with shares that change on the way to the same bits, and with
# moments that the ranks share out on any number of ranks, up to rounding.
set -euo pipefail
. "$(dirname "$0")/../support/ranks.sh"
"$build/laip-data" synth "$work/people" --persons 12 --val 2 --test 2 --images-per-person 2 --seed 3 > /dev/null
cat > "$work/run.yaml" <<YAML
model: {image_height: 32, image_width: 16, patch: 8, width: 32, heads: 2, mlp: 2, vit_layers: 1, text_layers: 1,
        cross_layers: 1, positions: 64, embed: 16, queue: 24, deviation: 0}
loss: {bidiratt_layer: 1}
data: {annotations: $work/people/reid_raw.json, vocab_size: 200, threads: 1}
batch: {micro_batch_size: 2, micro_batches: 6}
eval: {k: 0, every: 3}
keep: 6
phases:
  - {name: one, steps: 12, warmup: 1, lr: 1.0e-3, itc: 1, itm: 1, mpm: 1, mlm: 1}
YAML
job() { # RANKS FOLDER ARGUMENTS…
    local ranks=$1 folder=$2
    shift 2
    timeout 200 mpirun --oversubscribe --bind-to none -n "$ranks" "$build/laip-train" "$work/run.yaml" --device "$device" \
        --out "$work/$folder" "$@" > "$work/log" 2>&1 || fail "$folder: exit status $?"
}
lines() { local n; n=$(grep -c '"itc"' "$work/$1/metrics.jsonl" 2> /dev/null) || true; echo "${n:-0}"; }
keep() { cp "$work/$1/last/state.safetensors" "$work/state"; cp "$work/$1/metrics.jsonl" "$work/metrics"; }
same() { # FOLDER WORDS: the bits that were kept
    cmp "$work/state" "$work/$1/last/state.safetensors" && cmp "$work/metrics" "$work/$1/metrics.jsonl" || fail "$2: other bits"
}

# shares that change after steps 6 and 9
measured=(--set batch.shares=measured)
job 2 run "${measured[@]}"
printf '0: 3 3\n3: 5 1\n6: 1 5\n9: 4 2\n' > "$work/run/shares"
job 2 run "${measured[@]}" --resume=3
for change in '5, 1' '1, 5' '4, 2'; do
    [ "$change" = '5, 1' ] || grep -q "the ranks take $change micro-batches" "$work/log" || fail "no change to $change"
done
keep run
job 2 run "${measured[@]}" --resume=6
grep -q "1 of 6 micro-batches a step" "$work/log" || fail "not the shares of step 6"
same run "resumed where shares changed"
mpirun --oversubscribe --bind-to none -n 2 "$build/laip-train" "$work/run.yaml" --device "$device" --out "$work/run" \
    "${measured[@]}" --resume=3 > "$work/log" 2>&1 &
job=$!
while [ "$(lines run)" -lt 8 ] && kill -0 $job 2> /dev/null; do sleep 0.01; done
pkill -TERM -P $job || true
wait $job || fail "SIGTERM: exit status $?"
job 2 run "${measured[@]}" --resume
same run "stopped by a signal between changes, and resumed"

# moments shared out among two ranks go on as those of one, three, or of none that share
shard=(--set shard=optimiser)
near() { # WORDS: the last step's total is the kept one to 1e-5
    { grep '"itc"' "$work/metrics" | tail -n 1; grep '"itc"' "$work/run/metrics.jsonl" | tail -n 1; } | awk -F'"total":' -v what="$1" '
        { split($2, v, ","); t[NR] = v[1] }
        END { d = (t[2] - t[1]) / t[1]; print what ": " t[1] " and " t[2]; exit !(NR == 2 && t[1] > 0 && d < 1e-5 && d > -1e-5) }' ||
        fail "$1"
}
rm -r "$work/run"
job 2 run "${shard[@]}"
keep run
job 2 run "${shard[@]}" --resume=6
same run "moments of two ranks"
for ranks in 1 3; do
    job $ranks run "${shard[@]}" --resume=6
    near "moments of two ranks on $ranks"
done
echo "all of it passed"
