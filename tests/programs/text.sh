# laip-data's subcommands for text: what they write, what they refuse, how they explain themselves.  $1: build folder.
set -eu
data=$1/laip-data
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() { echo "FAILED: $*" >&2; exit 1; }
# expect WHAT STATUS COMMAND…: standard output in out, standard error in err
run() { status=$1; shift; got=0; "$@" > out 2> err || got=$?; [ "$got" = "$status" ] || { cat err; fail "$* ended with $got, not $status"; }; }
says() { grep -qF -- "$2" "$1" || { cat "$1"; fail "no '$2' in $1"; }; }
one_line() { [ "$(wc -l < err)" = 1 ] || { cat err; fail "not one line"; }; }

printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]' a red shirt '##s' his jacket . > vocab.txt
printf 'A red shirts.\n\nblue\njacket.His [MASK]' > captions.txt

run 0 "$data" tokens --vocab vocab.txt captions.txt
printf '[2, 5, 6, 7, 8, 11]\n[2]\n[2, 1]\n[2, 10, 11, 9, 4]\n' | cmp - out
run 0 "$data" tokens --vocab=vocab.txt --sep --caption-rule albef --max-tokens 5 captions.txt
printf '[2, 5, 6, 7, 3]\n[2, 3]\n[2, 1, 3]\n[2, 10, 9, 1, 3]\n' | cmp - out
says err '2 of 4 captions had more than 5 tokens and were cut (the first is line 1, the longest had 7)'
run 0 "$data" tokens --vocab vocab.txt --caption-rule albef --max-words 2 - < captions.txt
says err '2 of 4 captions had more than 2 words'
run 2 "$data" tokens captions.txt;                         says err '--vocab'
run 2 "$data" tokens --vocab no.txt captions.txt;          says err 'no.txt'; one_line
run 2 "$data" tokens --vocab vocab.txt no.txt;             says err 'no.txt'; one_line
run 2 "$data" tokens --vocab captions.txt captions.txt;    says err 'captions.txt'; says err '[PAD]'; one_line
run 2 "$data" tokens --vocab vocab.txt --max-tokens x;     says err 'max-tokens'
run 2 "$data" tokens --vocab vocab.txt --caption-rule foo; says err 'albef'

for i in 1 2 3; do echo 'a man in a red shirt and red shorts'; done > many.txt
run 0 "$data" vocab many.txt --size 60 -o learned.txt
[ "$(head -5 learned.txt | tr '\n' ' ')" = '[PAD] [UNK] [CLS] [SEP] [MASK] ' ] || fail "specials"
grep -qx red learned.txt || fail "red was not learned"
run 0 "$data" tokens --vocab learned.txt many.txt
run 2 "$data" vocab many.txt --size 3 -o x.txt;            says err '6'; one_line
run 2 "$data" vocab many.txt;                              says err '--output'
run 2 "$data" vocab no.txt -o x.txt;                       says err 'no.txt'; [ ! -e x.txt ] || fail "x.txt"

printf 'Café "man" in a short sleeve red shirt.\n\nShe has black and white sneakers' > lines.txt
run 0 "$data" phrases lines.txt
sed -n 1p out | grep -qF '{"text": "short sleeve red shirt", "start": 16, "end": 38}' || { cat out; fail "characters, not bytes"; }
[ "$(sed -n 2p out)" = '[]' ] || fail "an empty line is an empty array"
[ "$(sed -n 3p out)" = '[{"text": "black and white sneakers", "start": 8, "end": 32}]' ] || fail "sneakers"
echo 'a man and a pair of shoes' > heads.txt
run 0 "$data" phrases --no-generic-heads heads.txt;        [ "$(cat out)" = '[{"text": "shoes", "start": 20, "end": 25}]' ] || fail heads
run 0 "$data" phrases --no-generic-heads=shoes heads.txt;  says out '"man"'
run 0 "$data" phrases --grammar 'NP: {<DT><NN.*>}' heads.txt; says out '"a man"'
run 2 "$data" phrases --grammar 'NP: <NN>' heads.txt;      says err 'grammar'; one_line
run 2 "$data" phrases --tagger no heads.txt;               says err 'no/'; one_line

printf '["A", "red", "shirt"]\n[]\n' > tokens.txt
run 0 "$data" tags tokens.txt;                             [ "$(cat out)" = "$(printf '["DT", "JJ", "NN"]\n[]')" ] || fail tags
mkdir tagger
p=tagger/averaged_perceptron_tagger_eng
echo '{"bias": {"NN": 1}, "i word red": {"JJ": 2}}' > $p.weights.json
echo '{"A": "DT"}' > $p.tagdict.json
echo '["DT", "JJ", "NN"]' > $p.classes.json
run 0 "$data" tags --tagger tagger tokens.txt;             says out '["DT", "JJ", "NN"]'
run 0 "$data" phrases --tagger tagger heads.txt;           says out '"start": 0'
echo '["A", 3]' > bad.txt
run 2 "$data" tags bad.txt;                                says err 'bad.txt:1'; one_line
echo 'no json' > bad.txt
run 2 "$data" tags bad.txt;                                says err 'bad.txt:1'; one_line
echo '{"bias": 1}' > $p.weights.json
run 2 "$data" tags --tagger tagger tokens.txt;             says err 'weights.json'; one_line

for sub in tokens vocab phrases tags; do
    run 0 "$data" $sub --help;    says out Example
    run 0 "$data" $sub --version; says out laip-data
    run 2 "$data" $sub --no-such-flag
    run 0 "$data" --help;         says out $sub
done
run 1 sh -c "yes 'a red shirt' | head -20000 | '$data' tokens --vocab vocab.txt > /dev/full"; says err 'standard output'
echo "all of it passed"
