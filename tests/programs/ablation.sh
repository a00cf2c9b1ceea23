# tools/ablation on a handful of drawn families: rows, intervals, and that it goes on where it was interrupted.  $1: build
# folder.
set -eu
build=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
says() { grep -qF -- "$2" "$1" || { cat "$1"; fail "no '$2' in $1"; }; }
cd "$LAIP_SOURCE_DIR"

small=(--config configs/binding.yaml --out "$folder/out" --seeds 3 --repeats "1 2" --ranks 1 --splits "test1 test2"
    --draw "--bind --persons 16 --val 4 --test 16 --galleries 2 --images-per-person 1 --seed 2"
    --set batch.micro_batch_size=4 --set model.vit_layers=1 --set model.width=24 --set model.text_layers=1 --set data.vocab_size=300
    --set phases.0.steps=2 --set phases.1.steps=2 --set phases.2.steps=3 --set phases.1.group=8 --set eval.k=4)
ablation() { EVAL_THREADS=1 BUILD=$build tools/ablation "${small[@]}" "$@" > "$folder/said" 2> "$folder/err" || { cat "$folder/err"; fail "$*"; }; }

ablation --rows "baseline both all baseline_longer"
says "$folder/said" '| baseline | 2 |'
says "$folder/said" '| both − baseline | C1 | 1 | 2 |'
says "$folder/out/rows.json" '"metric": "family"'
says "$folder/out/rows/index.html" 'Differences of family'
[ "$(wc -l < "$folder/out/rows.list")" = 8 ] || fail "not eight runs"
says "$folder/out/runs/both-3-1/config.yaml" 'bidiratt: 0.3'
says "$folder/out/runs/baseline-3-1/config.yaml" 'bidiratt: 0'
cmp -s "$folder/out/runs/both-3-1-test1.json" "$folder/out/runs/both-3-2-test1.json" && fail "repetitions do not differ"

# what is there stays; what is missing is made again, to the same figures
cp "$folder/out/rows.md" "$folder/first"
touch -d '2000-01-01' "$folder/out/runs/all-3-1.done"
rm "$folder/out/runs/both-3-2.done" "$folder/out/runs/both-3-2-test1.json"
ablation --rows "baseline both all baseline_longer"
cmp "$folder/first" "$folder/out/rows.md" || fail "made again, the figures are others"
[ "$(date -r "$folder/out/runs/all-3-1.done" +%Y)" = 2000 ] || fail "what was done was done again"

ablation --table gradients
[ "$(grep -cE '^\| (itc|itm|triplet|bidiratt|mpm|mlm) \| [0-9.e-]+ \|$' "$folder/out/gradients.md")" = 6 ] || fail "not six norms"
! tools/ablation --table none --out "$folder/none" 2> /dev/null || fail "a table that there is not"
echo "all of it passed"
