# Two ranks on two hosts (network namespaces that talk TCP) compute the bits of two ranks on one, also when the cable is out
# for a while, which is said.  Needs root and iproute2.
set -euo pipefail
. "$(dirname "$0")/../support/device.sh"
build=$1
tools=$(cd "$(dirname "$0")/../../tools" && pwd)
work=$(mktemp -d)
job=
trap '[ -z "$job" ] || kill $job 2> /dev/null || true; rm -rf "$work"' EXIT
LAIP_GEMM=$("$build/tests/products")
export LAIP_GEMM POCL_MAX_PTHREAD_COUNT=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fail() { echo "FAILED: $*"; cat "$work/log"; exit 1; }
"$build/laip-data" synth "$work/people" --persons 8 --val 1 --test 1 --images-per-person 2 --seed 3 > /dev/null
cat > "$work/run.yaml" <<YAML
model: {image_height: 32, image_width: 16, patch: 8, width: 32, heads: 2, mlp: 2, vit_layers: 1, text_layers: 1,
        cross_layers: 1, positions: 64, embed: 16, queue: 24}
loss: {bidiratt_layer: 1}
data: {annotations: $work/people/reid_raw.json, vocab_size: 200, threads: 1}
batch: {micro_batch_size: 2, micro_batches: 2}
eval: {k: 0}
phases: [{name: one, steps: 3, warmup: 1, lr: 1.0e-3, itc: 1, itm: 1}]
YAML
command=("$build/laip-train" "$work/run.yaml" --device "$(auto_device "$build")" --out)
status=0
timeout 250 "$tools/two-hosts" "${command[@]}" "$work/two" > "$work/log" 2>&1 || status=$?
if [ $status -eq 77 ]; then
    cat "$work/log"
    exit 77
fi
[ $status -eq 0 ] || fail "two hosts: exit status $status"
grep -q "rank 0 on laip-a: " "$work/log" && grep -q "rank 1 on laip-b: " "$work/log" || fail "not two hosts"
mpirun --oversubscribe --bind-to none -n 2 "${command[@]}" "$work/one" > "$work/log" 2>&1 || fail "one host"
cmp "$work/one/metrics.jsonl" "$work/two/metrics.jsonl" || fail "two hosts gave other numbers than one"

# the cable out for four seconds
rm -r "$work/two" "$work/one"
LAIP_STALL_SECONDS=1 timeout 250 "$tools/two-hosts" "${command[@]}" "$work/two" --set phases.0.steps=100 > "$work/log" 2>&1 &
job=$!
lines() { local n; n=$(grep -c '"itc"' "$work/two/metrics.jsonl" 2> /dev/null) || true; echo "${n:-0}"; }
while [ "$(lines)" -lt 3 ]; do kill -0 $job 2> /dev/null || fail "it ended"; sleep 0.02; done
host=$(ip netns list | grep -o '^laip-a-[0-9]*' | while read -r n; do [ "$(pgrep -P $job)" = "${n#laip-a-}" ] && echo "$n"; done | head -n 1) || true
[ -n "$host" ] || fail "no namespace of this job"
ip -n "$host" link set cable down
at=$(lines)
sleep 4
[ "$(lines)" -le $((at + 2)) ] || fail "steps went on without the cable"
ip -n "$host" link set cable up
wait $job || fail "the cable was out: exit status $?"
grep -q "warning: .*has not come\|nothing comes through the network" "$work/log" || fail "no word of the cable"
mpirun --oversubscribe --bind-to none -n 2 "${command[@]}" "$work/one" --set phases.0.steps=100 > "$work/log" 2>&1 || fail "one host"
cmp "$work/one/metrics.jsonl" "$work/two/metrics.jsonl" || fail "the cable was out: other numbers"
