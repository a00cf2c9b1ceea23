# laip-search serve: the page and its parts, search by sentence, by picture of the index and by one that is sent, ranking
# again, explanations; what is refused: other paths, methods and hosts, links out of the folder, changed pictures, large
# uploads and long requests; many clients at once lose nothing.
set -euo pipefail
build=$1
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill $server 2> /dev/null || true; rm -rf "$work"' EXIT
LAIP_GEMM=$("$build/tests/products")
export LAIP_GEMM
fail() { echo "$*"; exit 1; }
command -v curl > /dev/null || { echo "curl is not installed"; exit 77; }

"$build/laip-data" synth "$work/people" --persons 12 --val 4 --test 4 --images-per-person 2 --seed 3 > /dev/null
cat > "$work/run.yaml" <<EOF
model: {image_height: 32, image_width: 16, patch: 8, width: 32, heads: 2, mlp: 2, vit_layers: 1, text_layers: 1,
        cross_layers: 2, positions: 64, embed: 16, queue: 24, dropout: 0.1, deviation: 0}
loss: {bidiratt_layer: 1}
data: {annotations: $work/people/reid_raw.json, vocab_size: 200, max_tokens: 40}
batch: {micro_batch_size: 4}
phases:
  - {name: one, steps: 3, warmup: 1, lr: 1.0e-3, itc: 1, itm: 1, mpm: 1}
EOF
"$build/laip-train" "$work/run.yaml" --out "$work/run" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
mkdir "$work/photos"
find "$work/people" -name '*.jpg' -exec cp {} "$work/photos" \;
hostile='<img src=x onerror=alert(1)>&"'\''.jpg'
first=$(find "$work/photos" -name '*.jpg' | sort | head -n 1)
{ cat "$first"; echo hostile; } > "$work/photos/$hostile"
"$build/laip-search" index "$work/run" "$work/photos" -o "$work/g" > /dev/null 2>&1
pictures=$(find "$work/photos" -type f | wc -l)

"$build/laip-search" serve "$work/g" --port 0 > "$work/served" 2> "$work/err" &
server=$!
for _ in $(seq 400); do
    grep -q http "$work/served" && break
    kill -0 $server 2> /dev/null || fail "the server ended: $(cat "$work/err")"
    sleep 0.05
done
base=$(grep -o 'http://127.0.0.1:[0-9]*' "$work/served") || fail "no address: $(cat "$work/served" "$work/err")"
get() { curl -sS --max-time 60 --path-as-is "$@"; }
status() { # EXPECTED CURL-ARGUMENTS…: the HTTP status; the body into $work/body
    local expected=$1 code
    shift
    code=$(get -o "$work/body" -w '%{http_code}' "$@")
    [ "$code" = "$expected" ] || fail "$*: status $code, expected $expected: $(head -c 300 "$work/body")"
}
says() { grep -q -- "$1" "$work/body" || fail "expected $1: $(head -c 500 "$work/body")"; }

for part in / /app.js /style.css /icon.svg; do
    status 200 "$base$part"
done
get -D "$work/head" -o /dev/null "$base/"
grep -qi "content-security-policy: default-src 'none'" "$work/head" || fail "no content-security-policy: $(cat "$work/head")"
grep -qi 'x-content-type-options: nosniff' "$work/head" || fail "no nosniff"
status 200 "$base/api/search?q=a+woman+in+a+red+coat&top=5"
says '"rank":5'
id=$(grep -o '"id":"[0-9a-f]*"' "$work/body" | head -n 1 | cut -d '"' -f 4)
status 200 "$base/api/search?q=a+woman+in+a+red+coat&top=5&rerank=32"
says '"log_odds"'
status 200 "$base/api/search?like=$id&top=1"
says "\"id\":\"$id\""
status 200 "$base/picture/$id"
cp "$work/body" "$work/picture"
[ "$(head -c 3 "$work/picture" | od -An -tx1 | tr -d ' ')" = ffd8ff ] || fail "the picture is none"
status 200 --data-binary "@$work/picture" "$base/api/search?top=1"
says "\"id\":\"$id\""
status 200 "$base/api/search?like=$id&q=a+man&not=a+red+coat&top=2&rerank=32" # a picture, words, and others that are not wanted
says '"query":"a man","like":\["[0-9a-f]*"\],"not":\["a red coat"\]'
! grep -q log_odds "$work/body" || fail "a picture was matched with words"
status 200 --data-binary "@$work/picture" "$base/api/search?top=1&q=a+man"
says '"query":"a man","like":\["a picture"\]'
status 200 "$base/thumbnail/$id"
cmp "$work/body" "$work/picture" || fail "a small picture is not its own thumbnail"
status 404 "$base/thumbnail/00000000000000000000000000000000"
status 404 "$base/thumbnail/../picture/$id"
status 200 "$base/api/explain?q=a+woman+in+a+red+coat+and+black+shoes&id=$id"
says '"text":"red coat"'
says '"backward":\['
[ "$(grep -o '"both"' "$work/body" | wc -l)" -ge 2 ] || fail "phrases: $(cat "$work/body")"
status 200 "$base/api/search?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E&top=100" # text in, text out, as JSON has it
says 'script>alert(1)'
says 'onerror=alert(1)>&\\"'

# refused, with a reason
status 400 "$base/api/search?q=+"
says 'the sentence is empty'
status 400 "$base/api/search"
status 400 "$base/api/search?q=a&top=0"
status 400 "$base/api/search?q=a&top=-1"
status 400 "$base/api/search?q=a&top=99999999999999999999"
status 400 "$base/api/search?q=$(printf '%%FF%%FE%.0s' $(seq 3))"
status 400 --data-binary 'no picture' "$base/api/search"
status 400 --data-binary '' "$base/api/search"
status 404 "$base/picture/00000000000000000000000000000000"
for path in /picture/../../../etc/passwd /picture/%2e%2e%2f%2e%2e%2fetc%2fpasswd /picture/..%5c..%5cx //etc/passwd /../etc/passwd \
    "/picture/$id%00.jpg" "/picture/$id/" "/picture/$id/../x" /%c0%ae%c0%ae/etc/passwd /search_web/app.js "/photos/0001.jpg"; do
    code=$(get -o "$work/body" -w '%{http_code}' "$base$path")
    [ "$code" = 404 ] || [ "$path$code" = "/picture/$id%00.jpg400" ] || [ "$path$code" = "/picture/$id%00.jpg200" ] || fail "$path: status $code"
    ! grep -q root: "$work/body" || fail "$path was read"
done
status 405 -X DELETE "$base/api/search"
status 405 -X POST -d x "$base/"
status 403 -H 'Host: elsewhere.example' "$base/"
status 403 -H 'Host: localhost.elsewhere.example' "$base/"
status 200 -H 'Host: localhost:1' "$base/"
long=$(head -c 5000 /dev/zero | tr '\0' a)
status 400 "$base/api/search?q=$long"
code=$(get -o /dev/null -w '%{http_code}' "$base/api/search?q=$long$long$long$long$long$long$long$long") || code=0
case $code in 414 | 431 | 413 | 0) ;; *) fail "a request of 40 kB: status $code" ;; esac
head -c 17000000 /dev/zero > "$work/large"
code=$(get -H 'Expect:' -o "$work/body" -w '%{http_code}' --data-binary "@$work/large" "$base/api/search") || true
[ "$code" = 413 ] || fail "17 MB: status $code"

# a picture that has changed, or become a link out of the folder, is no more one of the index
name=$(get "$base/api/search?like=$id&top=1" | grep -o '"name":"[^"]*"' | cut -d '"' -f 4)
mv "$work/photos/$name" "$work/kept"
status 410 "$base/picture/$id"
ln -s "$work/kept" "$work/photos/$name"
status 410 "$base/picture/$id"
rm "$work/photos/$name"
mkfifo "$work/photos/$name"
status 410 "$base/picture/$id"
rm "$work/photos/$name"
cp /etc/hostname "$work/photos/$name"
status 410 "$base/picture/$id"
cp "$work/kept" "$work/photos/$name"
status 200 "$base/picture/$id"

# the index changes: the next search is in the new one; one that is damaged, or of a model that is not there, is said once and
# the old one goes on; an index of another network brings that
{ cat "$first"; head -c 300000 /dev/zero; } > "$work/photos/large.jpg"
"$build/laip-search" index "$work/run" "$work/photos" -o "$work/g" > /dev/null 2>&1
status 200 "$base/api/index"
says "\"pictures\":$((pictures + 1)),"
status 200 "$base/api/search?q=a+man&top=500"
large=$(grep -o '"id":"[0-9a-f]*","name":"large.jpg"' "$work/body" | cut -d '"' -f 4)
status 200 "$base/thumbnail/$large"
[ "$(stat -c %s "$work/body")" -lt 65536 ] || fail "a thumbnail of $(stat -c %s "$work/body") bytes"
truncate -s 1000 "$work/g" # in its place, while it is served
status 200 "$base/api/search?q=a+man&top=500"
says '"large.jpg"'
status 200 "$base/picture/$large"
[ "$(grep -c 'goes on with the index as it was' "$work/err")" = 1 ] || fail "a damaged index: $(cat "$work/err")"
"$build/laip-train" "$work/run.yaml" --out "$work/other" --set seed=2 > /dev/null 2>&1
rm "$work/g"
status 200 "$base/api/search?q=a+man&top=1"
for client in 1 2 3 4; do # which do not wait for the one that reads
    ( for _ in $(seq 10); do get -o /dev/null -w '%{http_code}\n' "$base/api/search?q=a+man&top=3"; done > "$work/while$client" ) &
    during="${during:-} $!"
done
"$build/laip-search" index "$work/other" "$work/photos" -o "$work/g" > /dev/null 2>&1
wait $during
[ "$(cat "$work"/while? | sort | uniq -c | xargs)" = '40 200' ] || fail "while the index changed: $(cat "$work"/while? | sort | uniq -c)"
status 200 "$base/api/search?q=a+man&top=3"
"$build/laip-search" query "$work/g" 'a man' -n 3 --json | grep -o '"id": "[0-9a-f]*"' | tr -d ' ' > "$work/want"
grep -o '"id":"[0-9a-f]*"' "$work/body" | cmp - "$work/want" || fail "an index of another network: $(cat "$work/body")"
[ "$(grep -c 'the index has changed' "$work/served")" = 2 ] || fail "changes: $(cat "$work/served")"
: > "$work/err"

# many at once: every answer is there and the same
status 200 "$base/api/search?q=a+man&top=3"
sed 's/"seconds":[^,]*//' "$work/body" > "$work/want"
for client in $(seq 40); do
    ( for _ in $(seq 5); do
        get "$base/api/search?q=a+man&top=3" | sed 's/"seconds":[^,]*//' | cmp -s - "$work/want" && echo same
    done > "$work/client$client" ) &
    clients="${clients:-} $!"
done
wait $clients
[ "$(cat "$work"/client* | grep -c same)" = 200 ] || fail "of 200 answers $(cat "$work"/client* | grep -c same) came as they should"
kill -INT $server
wait $server || fail "the server ended with status $?"
server=
[ ! -s "$work/err" ] || fail "the server printed: $(cat "$work/err")"
[ "$pictures" -gt 10 ] || fail "few pictures"
