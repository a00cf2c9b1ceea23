# What goes wrong with a run, and what happens then: each is found, told in one line, and costs at most what was done since
# the last step.
set -euo pipefail
. "$(dirname "$0")/../support/ranks.sh"
"$build/laip-data" synth "$work/people" --persons 12 --val 2 --test 2 --images-per-person 2 --seed 3 > /dev/null
cat > "$work/run.yaml" <<YAML
model: {image_height: 32, image_width: 16, patch: 8, width: 32, heads: 2, mlp: 2, vit_layers: 1, text_layers: 1,
        cross_layers: 1, positions: 64, embed: 16, queue: 24, deviation: 0}
loss: {bidiratt_layer: 1}
data: {annotations: $work/people/reid_raw.json, vocab_size: 200, threads: 1, cache_mb: 0}
batch: {micro_batch_size: 4, micro_batches: 2}
eval: {k: 0, every: 10}
phases:
  - {name: one, steps: 30, warmup: 1, lr: 1.0e-3, itc: 1, itm: 1}
YAML
# run STATUS WORDS ARGUMENTS…: ends with that status, and says the words
run() {
    local wanted=$1 words=$2 status=0
    shift 2
    timeout 300 "$build/laip-train" "$work/run.yaml" --device "$device" "$@" > "$work/out" 2> "$work/log" || status=$?
    [ "$status" -eq "$wanted" ] || fail "exit status $status, expected $wanted: $*"
    grep -qF -- "$words" "$work/log" || fail "no '$words' from: $*"
}
ranks() { # STATUS WORDS ARGUMENTS…: the same as two ranks
    local wanted=$1 words=$2 status=0
    shift 2
    timeout 300 mpirun --oversubscribe --bind-to none "$@" > "$work/out" 2> "$work/log" || status=$?
    [ "$status" -eq "$wanted" ] || fail "exit status $status, expected $wanted: $*"
    grep -qF -- "$words" "$work/log" || fail "no '$words' from: $*"
}
two=(-n 2 "$build/laip-train" "$work/run.yaml" --device "$device")
lines() { local n; n=$(grep -c '"itc"' "$1/metrics.jsonl" 2> /dev/null) || true; echo "${n:-0}"; }
flip() { # FILE PLACE: one bit
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    printf "$(printf '\\%03o' $((byte ^ 16)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
run 0 "" --out "$work/whole"
same() { cmp "$work/whole/$2" "$1/$2" || fail "$3: another $2"; }

# 1: losses that are not finite
wild=(--set phases.0.lr=10 --set phases.0.min_lr=10 --set phases.0.mpm=1 --set phases.0.mlm=1 --set phases.0.bidiratt=1
      --set phases.0.steps=60)
run 1 "is not" --out "$work/nan" "${wild[@]}"
grep -q "last good checkpoint is\|nothing was saved before" "$work/log" || fail "no word of the last good checkpoint"
grep -qi "nan\|inf" "$work/nan/metrics.jsonl" && fail "metrics.jsonl holds what is no JSON"
run 1 "of --skip-bad-steps 2)" --out "$work/nan" --overwrite "${wild[@]}" --skip-bad-steps 2
run 0 "(1 of --skip-bad-steps 100)" --out "$work/nan" --overwrite "${wild[@]}" --skip-bad-steps 100
"$build/laip-model" inspect "$work/nan/best.safetensors" > /dev/null || fail "the weights of a run with bad steps are damaged"

# 2: --resume with another configuration
cp -r "$work/whole" "$work/other"
run 2 "phases.0.lr is 0.001 there, 0.002 now" --out "$work/other" --resume --set phases.0.lr=2e-3
same "$work/other" config.yaml "a refused --resume"
mv "$work/people" "$work/moved"
run 0 "" --out "$work/other" --resume --set data.threads=2 --set "data.annotations=$work/moved/reid_raw.json"
mv "$work/moved" "$work/people"
sed 's/wearing/carrying/' "$work/people/reid_raw.json" > "$work/people/else.json"
if ! cmp -s "$work/people/reid_raw.json" "$work/people/else.json"; then
    run 2 "are not those of" --out "$work/other" --resume --set "data.annotations=$work/people/else.json" --set "data.vocab=$work/whole/vocab.txt"
fi

# 3: a folder that holds a run, or in which one is at work
run 2 "holds a run" --out "$work/other"
run 2 "holds no run" --out "$work/none" --resume
[ ! -e "$work/none" ] || fail "a refused --resume left a folder"
"$build/laip-train" "$work/run.yaml" --out "$work/busy" --device "$device" --set phases.0.steps=100000 > "$work/first" 2>&1 &
job=$!
while [ "$(lines "$work/busy")" -lt 12 ]; do kill -0 $job || { cat "$work/first"; fail "it ended"; }; sleep 0.05; done
run 2 "another run is at work in this folder: process $job on " --out "$work/busy" --resume --set phases.0.steps=100000
run 2 "another run is at work" --out "$work/busy" --overwrite

# 5: signals, and the time; what was done is kept
kill -TERM $job
wait $job || fail "SIGTERM: exit status $?"
grep -q "stopped by a signal at step" "$work/first" || { cat "$work/first"; fail "no line for SIGTERM"; }
for how in INT HUP USR1 time; do
    if [ $how = time ]; then
        run 0 "stopped for --time-limit at step" --out "$work/$how" --set phases.0.steps=1000000 --time-limit 4
    else
        "$build/laip-train" "$work/run.yaml" --out "$work/$how" --device "$device" > "$work/log" 2>&1 &
        job=$!
        while [ "$(lines "$work/$how")" -lt 4 ] && kill -0 $job 2> /dev/null; do sleep 0.01; done
        kill -$how $job 2> /dev/null || true
        wait $job || fail "SIG$how: exit status $?"
        run 0 "" --out "$work/$how" --resume
        same "$work/$how" metrics.jsonl "SIG$how and resumed"
    fi
done
sed "s#\"$work/INT\"#\"$work/whole\"#; s#$work/INT#$work/whole#" "$work/INT/config.yaml" | cmp - "$work/whole/config.yaml" || fail "another configuration"
picture=$(find "$work/people/imgs" -name '*.jpg' -o -name '*.png' | sort | sed -n 3p)
"$build/laip-train" "$work/run.yaml" --out "$work/gone" --device "$device" --set data.val_split= > "$work/log" 2>&1 &
job=$!
while [ "$(lines "$work/gone")" -lt 3 ] && kill -0 $job 2> /dev/null; do sleep 0.01; done
mv "$picture" "$work/picture"
status=0
wait $job || status=$?
if [ $status -ne 0 ]; then # else it was through before
    [ $status -eq 2 ] || fail "a picture that vanished: exit status $status"
    tail -n 1 "$work/log" | grep -qF "$picture: cannot be read" || fail "no line of the picture that vanished"
    grep -q "broken off at step" "$work/log" || fail "no word of the state"
    at=$(lines "$work/gone")
    mv "$work/picture" "$picture"
    run 0 "" --out "$work/gone" --resume --set data.val_split=
    [ "$(lines "$work/gone")" = 30 ] || fail "resumed from step $at: $(lines "$work/gone") lines"
else
    mv "$work/picture" "$picture"
fi
mkfifo "$work/pipe"
mv "$picture" "$work/picture"
mv "$work/pipe" "$picture"
run 2 "is not a regular file" --out "$work/fifo"
rm "$picture"
mv "$work/picture" "$picture"
jpeg=$work/people/imgs/$(awk -F'"' '/"split"/ { train = $4 == "train" } /"file_path"/ && train && $4 ~ /jpg$/ { print $4; exit }' "$work/people/reid_raw.json")
cp "$jpeg" "$work/picture"
printf '\377\0%.0s' $(seq 20) | dd of="$jpeg" bs=1 seek=$(($(stat -c %s "$jpeg") * 3 / 4)) conv=notrunc status=none
run 0 "$jpeg: the JPEG is damaged within, and read as far as that goes" --out "$work/within" --set data.val_split=
[ "$(grep -c 'damaged within' "$work/log")" = 1 ] || fail "a picture that is damaged within is not named once"
mv "$work/picture" "$jpeg"

# 4: damage, named; the state before the last goes on
cp -r "$work/whole" "$work/flip"
size=$(stat -c %s "$work/flip/last/state.safetensors")
flip "$work/flip/last/state.safetensors" $((size / 2))
run 2 "is damaged: its checksum is" --out "$work/flip" --resume
run 0 "" --out "$work/flip" --resume=20
same "$work/flip" metrics.jsonl "resumed from the state before the last"
run 2 "expected one of: 20" --out "$work/flip" --resume=7
flip "$work/flip/best.safetensors" $(($(stat -c %s "$work/flip/best.safetensors") - 5))
for reader in "laip-eval --checkpoint $work/flip/best.safetensors --data $work/people --k 0" "laip-model inspect $work/flip/best.safetensors"; do
    status=0
    "$build"/$reader > /dev/null 2> "$work/log" || status=$?
    [ $status -eq 2 ] && grep -q "best.safetensors: temp is damaged\|best.safetensors: .* is damaged" "$work/log" || fail "$reader: status $status"
done

# 6, 7, 8, 10, 11, 13: ranks
cp -r "$work/whole" "$work/more"
touch "$work/more/last/state.safetensors.tmp-12-0" "$work/more/metrics.jsonl.tmp-3-17" "$work/more/report/index.html.tmp-3-18"
sed -i '$d' "$work/more/metrics.jsonl"
sed -i '$d' "$work/more/metrics.jsonl"
rm "$work/more/last/state.safetensors"
ranks 0 "rank 1 was not there when the state was saved" "${two[@]}" --out "$work/more" --resume
[ -z "$(find "$work/more" -name '*.tmp-*')" ] || fail "temporary files stay"
sed -n 1,28p "$work/whole/metrics.jsonl" > "$work/most"
cp -r "$work/whole" "$work/cut"
cp "$work/most" "$work/cut/metrics.jsonl"
printf '{"step":3' >> "$work/cut/metrics.jsonl"
run 0 "has no lines of steps" --out "$work/cut" --resume
tail -n 1 "$work/cut/metrics.jsonl" | grep -q '}$' || fail "half a line stays"
ranks 2 "seed is 2 here, 1 on rank 0" -n 1 "${two[@]:2}" --out "$work/seeds" : -n 1 "${two[@]:2}" --out "$work/seeds" --set seed=2
ranks 2 "phases.0.steps is 31 here, 30 on rank 0" -n 1 "${two[@]:2}" --out "$work/seeds" : -n 1 "${two[@]:2}" --out "$work/seeds" \
    --set phases.0.steps=31
{ cat "$build/laip-train"; echo; } > "$work/laip-train"
chmod +x "$work/laip-train"
ranks 2 "this is not the program of rank 0" -n 1 "${two[@]:2}" --out "$work/seeds" : -n 1 "$work/laip-train" "${two[@]:3}" --out "$work/seeds"
ranks 0 "1 of 2 ranks have nothing to do" "${two[@]}" --out "$work/idle" --set batch.micro_batch_size=8 --set batch.micro_batches=1
# shares: measured, kept a line each time, and taken again by a run that goes on
ranks 0 "pairs/s when all are at work" "${two[@]}" --out "$work/shares" --set batch.shares=measured --set batch.micro_batch_size=2 --set batch.micro_batches=4
awk '$2 + $3 != 4 { bad = 1 } END { exit bad || $1 == "" }' "$work/shares/shares" || fail "shares are $(cat "$work/shares/shares")"
echo "0: 1 3" > "$work/shares/shares"
rm "$work/shares/last/state.safetensors"
ranks 0 "3 of 4 micro-batches a step" "${two[@]}" --out "$work/shares" --resume --set batch.micro_batch_size=2 --set batch.micro_batches=4
if unshare -m true 2> /dev/null; then
    mkdir "$work/apart"
    ranks 2 "expected one that all hosts share" -n 1 "${two[@]:2}" --out "$work/apart" : \
        -n 1 unshare -m sh -c "mount -t tmpfs none $work/apart && exec ${two[*]:2} --out $work/apart"
    ranks 2 "are not those of rank 0" -n 1 "${two[@]:2}" --out "$work/seeds" : \
        -n 1 unshare -m sh -c "mount --bind $work/people/else.json $work/people/reid_raw.json && exec ${two[*]:2} --out $work/seeds"
fi
LAIP_STALL_SECONDS=1 mpirun --oversubscribe --bind-to none "${two[@]}" --out "$work/stall" --set phases.0.steps=3000 > "$work/log" 2>&1 &
job=$!
while [ "$(lines "$work/stall")" -lt 3 ]; do kill -0 $job || fail "it ended"; sleep 0.05; done
second=$(pgrep -f -- "--out $work/stall" | while read -r p; do
    tr '\0' '\n' < "/proc/$p/environ" 2> /dev/null | grep -qx OMPI_COMM_WORLD_RANK=1 && echo "$p"; done | head -n 1) || true
[ -n "$second" ] || fail "no process of rank 1"
kill -STOP "$second"
sleep 6
kill -CONT "$second"
grep -q "warning: rank 1 on .* has not come" "$work/log" || { kill $job; fail "no word of the rank that was stopped"; }
pgrep -f -- "--out $work/stall" | while read -r p; do
    tr '\0' '\n' < "/proc/$p/environ" 2> /dev/null | grep -qx OMPI_COMM_WORLD_RANK=0 && kill -USR1 "$p"; done || true
wait $job || fail "stopped: exit status $?"
grep -q "stopped by a signal" "$work/log" || fail "a signal to one rank did not end the job"

# 12, 13: what cannot be, or teach
run 2 "alone take" --out "$work/large" --set model.width=16384 --set model.heads=64 --set model.vit_layers=200
run 2 "alone take" --plan --set model.width=16384 --set model.heads=64 --set model.vit_layers=200
sed 's/"id": *[0-9]*/"id": 1/' "$work/people/reid_raw.json" > "$work/people/one.json"
run 0 "are of one person" --out "$work/one" --set "data.annotations=$work/people/one.json"
echo "all of it passed"
