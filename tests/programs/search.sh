# laip-search: a folder is indexed; new, changed, moved, copied and deleted pictures are known as such; killed at twenty
# moments the index ends the same; what cannot be read is listed; foreign, stale and damaged indices are refused; queries
# by sentences, lines and pictures, as text, JSON and a page.
set -euo pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
LAIP_GEMM=$("$build/tests/products")
export LAIP_GEMM
fail() { echo "$*"; exit 1; }
search() { "$build/laip-search" "$@"; }
refuses() { # WHAT COMMAND…: exit status 2 and one line that says WHAT
    local what=$1 status=0
    shift
    "$@" > "$work/out" 2> "$work/err" || status=$?
    [ $status = 2 ] && grep -q -- "$what" "$work/err" && [ "$(wc -l < "$work/err")" = 1 ] ||
        fail "$*: status $status, $(cat "$work/err"), expected: $what"
}
says() { # WHAT COMMAND…
    local what=$1
    shift
    "$@" > "$work/out" 2> "$work/err" || fail "$*: $(cat "$work/err")"
    grep -q -- "$what" "$work/out" || fail "$*: $(cat "$work/out"), expected: $what"
}

"$build/laip-data" synth "$work/people" --persons 12 --val 4 --test 4 --images-per-person 2 --seed 3 > /dev/null
cat > "$work/run.yaml" <<EOF
model: {image_height: 32, image_width: 16, patch: 8, width: 32, heads: 2, mlp: 2, vit_layers: 1, text_layers: 1,
        cross_layers: 2, positions: 64, embed: 16, queue: 24, dropout: 0.1, deviation: 0}
loss: {bidiratt_layer: 1}
data: {annotations: $work/people/reid_raw.json, vocab_size: 200, max_tokens: 40}
batch: {micro_batch_size: 4}
phases:
  - {name: one, steps: 3, warmup: 1, lr: 1.0e-3, itc: 1, itm: 1}
EOF
"$build/laip-train" "$work/run.yaml" --out "$work/run" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
model=$work/run/best.safetensors

# pictures that differ in what follows their last segment, which their content is known by
mkdir -p "$work/photos/a/b" "$work/photos/c"
base=$(find "$work/people" -name '*.jpg' | sort | head -n 8)
i=0
while [ $i -lt 960 ]; do
    for file in $base; do
        { cat "$file"; echo "$i"; } > "$work/photos/$(case $((i % 3)) in 0) echo a ;; 1) echo a/b ;; *) echo c ;; esac)/$i.jpg"
        i=$((i + 1))
    done
done
find "$work/people" -name '*.png' -exec cp {} "$work/photos/c" \;
pictures=$(find "$work/photos" -type f | wc -l)
says "$pictures pictures, $pictures files: $pictures encoded" search index "$model" "$work/photos" -o "$work/g"
[ ! -e "$work/g.journal" ] || fail "the journal stayed"
cp "$work/g" "$work/whole"
says "0 encoded, $pictures unchanged" search index "$work/run" "$work/photos" -o "$work/g"
cmp "$work/g" "$work/whole" || fail "indexed again, nothing changed, the index is another"

# killed whenever the journal has grown by a twentieth
rm "$work/g"
size=$((pictures * 125))
for moment in $(seq 0 19); do
    "$build/laip-search" index "$model" "$work/photos" -o "$work/g" --quiet > "$work/log" 2>&1 & # no function: it is to be killed itself
    job=$!
    until [ "$(stat -c %s "$work/g.journal" 2> /dev/null || echo 0)" -ge $((moment * size / 20)) ] || ! kill -0 $job 2> /dev/null; do
        sleep 0.005
    done
    kill -9 $job 2> /dev/null || true
    wait $job 2> /dev/null || true
    [ ! -e "$work/g" ] || break # it was quicker
    [ "$moment" != 3 ] || refuses 'is not finished' search query "$work/g" 'a man'
    [ "$moment" != 7 ] || truncate -s -5 "$work/g.journal" # as a machine that went down would leave it
done
! grep . "$work/log" || fail "it printed that while killed"
[ "$moment" -ge 10 ] || fail "the index was done after $moment kills"
search index "$model" "$work/photos" -o "$work/g" > "$work/out" 2>&1
cmp "$work/g" "$work/whole" || fail "killed and continued, the index ends otherwise: $(cat "$work/out")"

# moved, copied, changed, touched, deleted, new; twice nothing
mv "$work/photos/a/0.jpg" "$work/photos/moved.jpg"
cp "$work/photos/c/2.jpg" "$work/photos/c/copy.JPG"
echo changed >> "$work/photos/a/3.jpg"
touch "$work/photos/a/6.jpg"
rm "$work/photos/a/9.jpg"
{ cat "$(echo "$base" | head -n 1)"; echo new; } > "$work/photos/new.jpeg"
ln -s "$work/photos/a" "$work/photos/link"
ln -s "$work/photos/a/12.jpg" "$work/photos/link.jpg"
mkdir "$work/photos/.hidden"
cp "$work/photos/a/12.jpg" "$work/photos/.hidden/x.jpg"
echo 'no picture' > "$work/photos/notes.txt"
head -c 300 "$work/photos/a/12.jpg" > "$work/photos/cut.jpg"
echo 'no picture' > "$work/photos/$(printf 'evil\033name').png"
mkfifo "$work/photos/pipe.jpg"
says "$pictures pictures, $((pictures + 1)) files: 2 encoded, $((pictures - 4)) unchanged, 3 recognised by content, 2 gone, 2 cannot be read" \
    search index "$model" "$work/photos" -o "$work/g"
grep -q 'cut.jpg: .*' "$work/err" || fail "cut.jpg is not listed: $(cat "$work/err")"
grep -q 'evil?name.png' "$work/err" || fail "a name is not printed as text: $(cat "$work/err")"
says 'c/2.jpg  (and 1 more of the same)' search query "$work/g" --like "$work/photos/c/2.jpg" --top 1000

# queries
says '^  1 .*/photos/.*\.' search query "$work/g" 'A Woman, in a RED coat!' --top 3
[ "$(wc -l < "$work/out")" = 3 ] || fail "--top 3 gave $(wc -l < "$work/out")"
search query "$work/g" 'a woman in a red coat' --top 3 | cmp - "$work/out" || fail "case and punctuation matter"
says '"log_odds"' search query "$work/g" 'a woman in a red coat' --json --rerank 40 --top 2
[ "$(printf 'a man\na woman in a red coat\na dog' | search query "$work/g" --json | grep -c '"query"')" = 3 ] || fail "lines"
seq 200 | sed 's/.*/a man in a blue shirt/' > "$work/lines"
[ "$(search query "$work/g" --file "$work/lines" --top 1 | sort | uniq -c | awk '{ print $1 }' | xargs)" = '200 200' ] || fail "200 lines"
{ echo 'a man'; while [ ! -e "$work/answered" ]; do sleep 0.05; done; echo 'a woman'; } |
    search query "$work/g" --top 1 | while read -r _; do touch "$work/answered"; done # a pipe is answered line by line
says 'a man' search query "$work/g" 'a man' 'a woman' --html "$work/page.html" -n 2
[ "$(grep -o 'data:image' "$work/page.html" | wc -l)" = 4 ] || fail "the page has not 4 pictures"
mkdir "$work/large" # of a megabyte, in a page of small pictures
{ cat "$(echo "$base" | head -n 1)"; head -c 1000000 /dev/zero; } > "$work/large/large.jpg"
search index "$model" "$work/large" -o "$work/l" --quiet
search query "$work/l" 'a man' --html "$work/large.html" > /dev/null
grep -q 'data:image/jpeg' "$work/large.html" && [ "$(stat -c %s "$work/large.html")" -lt 50000 ] ||
    fail "a picture of a megabyte made a page of $(stat -c %s "$work/large.html")"

# paths alone for other programs; a sentence with a picture, and without words
search query "$work/g" 'a man' -n 3 --format paths > "$work/paths"
[ "$(xargs -d '\n' ls < "$work/paths" | wc -l)" = 3 ] || fail "--format paths: $(cat "$work/paths")"
search query "$work/g" 'a man' -n 3 --format paths0 | tr '\0' '\n' | cmp - "$work/paths" || fail "--format paths0"
search query "$work/g" --like "$work/photos/c/5.jpg" -n 3 --format paths > "$work/like"
search query "$work/g" 'a man' --like "100:$work/photos/c/5.jpg" -n 3 --format paths | cmp - "$work/like" || fail "a weight of 100"
search query "$work/g" 'a man' --like "0.0001:$work/photos/c/5.jpg" -n 3 --format paths | cmp - "$work/paths" || fail "a weight of nothing"
says '"like": \["[^"]*/c/5.jpg"\], "not": \["a hat"\]' search query "$work/g" 'a man' --like "$work/photos/c/5.jpg" --not '0.5:a hat' --json
search query "$work/g" 'a man' -n 1000 --format paths > "$work/all"
search query "$work/g" 'a man' --not '3:a woman' -n 1000 --format paths > "$work/without"
! cmp -s "$work/without" "$work/all" || fail "--not changes nothing"
cmp -s <(sort "$work/without") <(sort "$work/all") || fail "--not loses pictures"
refuses 'cancel each other out' search query "$work/g" 'a man' --not 'a man'
refuses 'No such file' search query "$work/g" 'a man' --like "$work/none.jpg"
refuses 'the sentence is empty' search query "$work/g" 'a man' --not '2:'
refuses 'the sentence is empty' search query "$work/g" ' . '
refuses 'sentence 2: the sentence is empty' search query "$work/g" 'a man' ''
refuses 'the sentence has 101 tokens, the model takes at most 40' search query "$work/g" "$(seq 100 | sed 's/.*/man/' | xargs)"
refuses 'No such file' search query "$work/g" --like "$work/none.jpg"

# weights alone, as other programs write them: the error has the command that makes them searchable, and it does
"$build/laip-model" convert "$model" "$work/their.pth" --to albef > /dev/null
cp "$work/run/vocab.txt" "$work/vocab.txt"
refuses 'holds weights alone' search index "$work/their.pth" "$work/large" -o "$work/t"
command=$(sed 's/.*searched with, for [^:]*: laip-model \(.*\) (vocab.*/\1/' "$work/err")
command=${command/configs\/cuhk_pedes.yaml/$work/run.yaml}
"$build/laip-model" ${command/--vocab /--vocab $work/} > /dev/null || fail "laip-model $command"
says '1 pictures' search index "$work/their-laip.safetensors" "$work/large" -o "$work/t"

# what is no index, of another model or folder, or damaged
refuses 'is no index' search query "$model" 'a man'
refuses 'no index: .*is no safetensors file' search query "$work/run.yaml" 'a man'
refuses 'No such file' search query "$work/none" 'a man'
refuses 'is the index of .*/photos, not of .*/people' search index "$model" "$work/people" -o "$work/g"
"$build/laip-train" "$work/run.yaml" --out "$work/other" --set seed=2 > /dev/null 2>&1
refuses 'the index is stale' search query "$work/g" --model "$work/other/best.safetensors" 'a man'
refuses 'the index is stale.*, or with --replace' search index "$work/other" "$work/photos" -o "$work/g"
search index "$work/other" "$work/large" -o "$work/t" --replace > "$work/out" 2> "$work/err" || fail "--replace: $(cat "$work/err")"
grep -q '1 pictures, 1 files: 1 encoded' "$work/out" || fail "--replace: $(cat "$work/out")"
size=$(stat -c %s "$work/g")
for at in 9 200 2000 $((size / 2)) $((size - 3)); do
    cp "$work/g" "$work/bad"
    printf '\x5a' | dd of="$work/bad" bs=1 seek="$at" conv=notrunc status=none
    cmp -s "$work/g" "$work/bad" || refuses 'bad' search query "$work/bad" 'a man'
done
for keep in 0 7 100 $((size / 2)) $((size - 1)); do
    head -c "$keep" "$work/g" > "$work/bad"
    refuses 'bad' search query "$work/bad" 'a man'
done
mv "$work/photos" "$work/elsewhere"
says ' unchanged' search index "$model" "$work/elsewhere" -o "$work/g" # the folder itself was moved
mkdir "$work/photos"
rm -r "$work/elsewhere"
mkdir "$work/elsewhere"
refuses 'has no files, and the index' search index "$model" "$work/elsewhere" -o "$work/g"
rm "$model"
refuses 'which cannot be read' search query "$work/g" 'a man'
