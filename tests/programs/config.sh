# Configurations and laip-train: what it explains, what it refuses in one line.  $1: build folder.
set -eu
train=$1/laip-train
configs=$LAIP_SOURCE_DIR/configs
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() { echo "FAILED: $*" >&2; exit 1; }
run() { status=$1; shift; got=0; "$@" > out 2> err || got=$?; [ "$got" = "$status" ] || { cat out err; fail "$* ended with $got, not $status"; }; }
says() { grep -qF -- "$2" "$1" || { cat "$1"; fail "no '$2' in $1"; }; }
one_line() { [ "$(wc -l < err)" = 1 ] || { cat err; fail "not one line"; }; }

run 0 "$train" --help-config
says out 'model.image_height: 384'
says out 'phases.N.lr:'

run 2 "$train" no.yaml;                                       says err 'no.yaml'; one_line
printf 'model:\n  widht: 3\n' > unknown.yaml
run 2 "$train" unknown.yaml;                                  says err 'unknown.yaml:2:10: model.widht is no setting; did you mean model.width?'; one_line
printf 'seed: [\n' > broken.yaml
run 2 "$train" broken.yaml;                                   says err 'broken.yaml:'; one_line
printf 'data: {annotations: no.json}\nphases: [{steps: 1}]\n' > run.yaml
run 2 "$train" run.yaml;                                      says err 'no.json'; one_line
run 2 "$train" run.yaml --set model.patch=17;                 says err 'model.image is 384 x 384, expected multiples of model.patch'; one_line
run 2 "$train" run.yaml --set model.heads=5;                  says err 'model.heads'; one_line
run 2 "$train" run.yaml --set loss.bidiratt_layer=7;          says err 'model.cross_layers'; one_line
run 2 "$train" run.yaml --set seeed=1;                        says err '--set seeed is no setting; did you mean seed?'; one_line
run 2 "$train" run.yaml --set seed;                           says err 'KEY=VALUE'; one_line
run 2 "$train" run.yaml --set phases.0.steps=0;               says err 'phases.0: steps is 0'; one_line
echo '[{"id": 1, "captions": ["a"], "file_path": 3}]' > wrong.json
run 2 "$train" run.yaml --set data.annotations=wrong.json;    says err 'wrong.json: entry 0: file_path is a whole number'; one_line

# Every configuration that is shipped can be read and is possible: it fails only for want of the data.
found=0
for config in "$configs"/*.yaml "$configs"/ablations/*.yaml; do
    [ -e "$config" ] || continue
    run 2 "$train" "$config" --set data.annotations=none.json --set data.vocab=
    says err 'none.json'; one_line
    found=$((found + 1))
done
[ "$found" -ge 5 ] || fail "only $found configurations"
echo "all of it passed"
