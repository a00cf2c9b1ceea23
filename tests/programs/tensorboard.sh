# A run's events as TensorBoard itself reads them; skipped, saying so, where python3 has no TensorBoard.  $1: build folder.
set -eu
build=$1
if ! python3 -c 'from tensorboard.backend.event_processing import event_file_loader' 2> /dev/null; then
    echo "skipped: python3 has no tensorboard"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/laip-data" synth "$work/people" --persons 40 --val 4 --test 4 --images-per-person 1 > /dev/null
"$build/laip-train" "$LAIP_SOURCE_DIR/configs/demo.yaml" --to-phase 0 --out "$work/run" --set tensorboard=true \
    --set data.annotations="$work/people/reid_raw.json" --set phases.0.steps=3 --set batch.micro_batch_size=4 --set model.queue=16 \
    > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
python3 - "$work/run" <<'PYTHON'
import glob, json, sys
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
read = {}
for event in EventFileLoader(glob.glob(sys.argv[1] + "/tensorboard/*")[0]).Load():
    for value in event.summary.value:
        number = value.tensor.float_val[0] if value.HasField("tensor") else value.simple_value
        read[event.step, value.tag] = number
for line in map(json.loads, open(sys.argv[1] + "/metrics.jsonl")):
    for key in ("itc", "total", "lr"):
        if key in line:
            assert abs(read.pop((line["step"], key)) - line[key]) <= 1e-6 * abs(line[key]), (line["step"], key)
assert any(tag == "val/retrieval/R@1" for _, tag in read), read
PYTHON
echo "all of it passed"
