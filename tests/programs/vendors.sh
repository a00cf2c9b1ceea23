# Devices of two vendors in one job compute the run of one device up to rounding: losses to 1e-5, weights to 1e-4.
# Skipped where there is one OpenCL platform alone. A second one for processors is Intel's: a folder with an .icd of each,
# named by OCL_ICD_VENDORS.
set -euo pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export POCL_MAX_PTHREAD_COUNT=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fail() { echo "FAILED: $*"; cat "$work/log"; exit 1; }
"$build/laip-bench" devices --json > "$work/devices"
# the first device of each platform, by its number
pair=$(awk -F'"' '/"number":/ { split($3, n, /[ :,]+/) } /"platform":/ && !seen[$4]++ { list = list sep n[2]; sep = "," } END { print list }' \
    "$work/devices" | cut -d , -f 1,2)
case $pair in
*,*) ;;
*) echo "skipped: there is one OpenCL platform alone" && exit 77 ;;
esac
first=${pair%,*} second=${pair#*,}
"$build/laip-data" synth "$work/people" --persons 24 --val 1 --test 1 --images-per-person 2 --seed 3 > /dev/null
cat > "$work/run.yaml" <<YAML
model: {image_height: 64, image_width: 32, patch: 8, width: 64, heads: 2, mlp: 2, vit_layers: 2, text_layers: 1,
        cross_layers: 1, positions: 64, embed: 32, queue: 48, deviation: 0}
loss: {bidiratt_layer: 1}
data: {annotations: $work/people/reid_raw.json, vocab_size: 300, threads: 1, val_split: ""}
batch: {micro_batch_size: 4, micro_batches: 6}
eval: {k: 0, every: 100}
phases:
  - {name: one, steps: 9, warmup: 1, lr: 1.0e-3, itc: 1, itm: 1, triplet: 1, bidiratt: 1, mpm: 1, mlm: 1}
YAML
job() { # FOLDER RANKS DEVICES
    timeout 800 mpirun --oversubscribe --bind-to none -n "$2" "$build/laip-train" "$work/run.yaml" --devices "$3" \
        --out "$work/$1" > "$work/log" 2>&1 || fail "$1"
}
same() { # FOLDER: as one rank, every loss of every step to 1e-5, weights to 1e-4
    paste -d '\n' "$work/one/metrics.jsonl" "$work/$1/metrics.jsonl" | awk -v what="$1" '
        NR % 2 { was = $0; next }
        { n = split(was, a, /[,:{}]/); split($0, b, /[,:{}]/)
          for (i = 2; i < n; i += 2) if (a[i] ~ /itc|itm|triplet|bidiratt|mpm|mlm|total/) {
              d = (a[i + 1] - b[i + 1]) / a[i + 1]; d = d < 0 ? -d : d; worst = d > worst ? d : worst; seen++ } }
        END { printf "%s: losses differ by %.1e at most (%d)\n", what, worst, seen; exit !(seen == 63 && worst <= 1e-5) }' ||
        fail "losses of $1"
    "$build/laip-model" diff --tolerance 1e-4 "$work/one/best.safetensors" "$work/$1/best.safetensors" > "$work/log" || fail "weights of $1"
    echo "$1: $(tail -n 1 "$work/log")"
}
job one 1 "$first"
job other 1 "$second"
same other
job two 2 "$first,$second"
same two
cat "$work/two/shares"
job four 4 "$first,$first,$first,$second"
same four
echo "all of it passed"
