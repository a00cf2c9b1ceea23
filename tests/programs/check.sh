# laip-data check: what it finds in a set that is good, and in one that is not.  $1: build folder.
set -eu
data=$1/laip-data
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() { echo "FAILED: $*" >&2; exit 1; }
run() { status=$1; shift; got=0; "$@" > out 2> err || got=$?; [ "$got" = "$status" ] || { cat out err; fail "$* ended with $got, not $status"; }; }
says() { grep -qF -- "$2" "$1" || { cat "$1"; fail "no '$2' in $1"; }; }
says_not() { ! grep -qF -- "$2" "$1" || { cat "$1"; fail "'$2' in $1"; }; }
one_line() { [ "$(wc -l < err)" = 1 ] || { cat err; fail "not one line"; }; }

run 0 "$data" synth people --persons 6 --val 2 --test 3 --images-per-person 2 --seed 4
run 0 "$data" check people/reid_raw.json
says out 'train                  6 persons, 12 pictures, 24 captions'
says out 'test                   3 persons, 6 pictures, 12 captions'
says out 'words a caption'
says out 'phrases a caption'
says out '22 pictures and 44 captions'
says out ': fit for training'
says_not out missing
run 0 "$data" check people/reid_raw.json --max-tokens 1 --list 3
says out '44 captions have more than 1 words and will be cut'
says out '  and 41 more'
run 0 "$data" check people/reid_raw.json --images people --json
says out '"pictures": 22, "captions": 44, "fit": true'
says out '"missing": [],'

# With a vocabulary, and by a config.
"$data" vocab people/reid_raw.json --size 300 -o vocab.txt > /dev/null 2>&1
printf 'data:\n  annotations: people/reid_raw.json\n  vocab: vocab.txt\n  max_tokens: 5\n' > run.yaml
run 0 "$data" check run.yaml
says out 'tokens a caption'
says out 'captions have more than 5 tokens and will be cut'

# Everything that can be wrong, once each.
mkdir -p bad/imgs
pictures=$(find people/imgs -type f | sort)
first=$(echo "$pictures" | head -1)
last=$(echo "$pictures" | tail -1)
cp "$first" bad/imgs/a.jpg; cp "$first" bad/imgs/b.jpg; cp "$last" bad/imgs/c.jpg
cp "$last" bad/imgs/within.jpg # forty bytes that are no code
printf '\377\0%.0s' $(seq 20) | dd of=bad/imgs/within.jpg bs=1 seek=$(($(wc -c < "$last") * 3 / 4)) conv=notrunc 2> /dev/null
head -c 300 "$last" > bad/imgs/cut.jpg; echo 'no picture' > bad/imgs/text.png
cat > bad/list.json <<'J'
[{"id": 1, "file_path": "a.jpg", "captions": ["A man in a red shirt."], "split": "train"},
 {"id": 1, "file_path": "b.jpg", "captions": ["..."], "split": "test"},
 {"id": 2, "file_path": "c.jpg", "captions": ["one two three four five six seven"], "split": "Train"},
 {"id": 2, "file_path": "c.jpg", "captions": [], "split": "train"},
 {"id": 3, "file_path": "cut.jpg", "captions": ["a \"quoted\" woman"], "split": "train"},
 {"id": 4, "file_path": "text.png", "captions": ["a woman"], "split": "train"},
 {"id": 5, "file_path": "gone.jpg", "captions": ["a woman"], "split": "train"},
 {"id": 6, "file_path": "within.jpg", "captions": ["a woman"], "split": "train"}]
J
run 2 "$data" check bad/list.json --max-tokens 6
says out '1 pictures are missing';    says out 'bad/imgs/gone.jpg'
says out '2 pictures are damaged';    says out 'bad/imgs/cut.jpg'; says out 'bad/imgs/text.png'
says out '1 pictures are damaged within'; says out 'bad/imgs/within.jpg: the JPEG is damaged within'
says out '2 pictures are there twice'; says out 'a.jpg and b.jpg: the same bytes'; says out 'c.jpg: named twice'
says out '1 persons are in two splits'; says out '  1: train and test'
says out '1 pictures have no caption'
says out '1 captions have no word';   says out '"..."'
says out '1 captions have more than 6 words'
says out 'not fit for training'
run 2 "$data" check bad/list.json --json
says out '"fit": false'
says out '{"file": "gone.jpg", "id": 5, "error": '
says out '{"id": 1, "splits": ["train", "test"]}'
if command -v python3 > /dev/null; then python3 -c 'import json,sys; r=json.load(open("out")); sys.exit(len(r["damaged"]) != 2 or len(r["damaged_within"]) != 1)' || fail "JSON"; fi

# What is refused.
run 2 "$data" check no.json;                            says err 'no.json'; one_line
run 2 "$data" check people/reid_raw.json --images no;   says err 'no:'; one_line
run 2 "$data" check people/reid_raw.json --images bad;  says err 'none is in bad'; one_line
run 2 "$data" check people/reid_raw.json --vocab no.txt; says err 'no.txt'; one_line
echo '[{"id": 1, "file_path": "a", "captions": 3}]' > wrong.json
run 2 "$data" check wrong.json;                         says err 'wrong.json: entry 0: captions is a whole number'; one_line
head -c 400 people/reid_raw.json > cut.json
run 2 "$data" check cut.json;                           says err 'cut.json:'; one_line
echo 'data: {}' > empty.yaml
run 2 "$data" check empty.yaml;                         says err 'data.annotations'; one_line
run 2 "$data" check;                                    says err 'needed'
run 2 "$data" check a b
run 2 "$data" check a --list x;                         says err '--list'
run 0 "$data" check --help;                             says out Examples
echo "all of it passed"
