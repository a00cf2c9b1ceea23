# Files as people's scripts left them (../shared/cases/checkpoints): each holds the same tensors as plain.pth, and says what
# it holds beside them.  Skipped without that folder.
set -euo pipefail
build=$1
cases=${LAIP_SHARED:-$LAIP_SOURCE_DIR/../shared}/cases/checkpoints
[ -d "$cases" ] || { echo "$cases is not there"; exit 77; }
err=$(mktemp)
trap 'rm -f "$err"' EXIT
fail() { echo "$*"; exit 1; }
diff_of() { "$build/laip-model" diff "$@" 2> "$err"; }
for file in compiled compiled_ddp model_state_dict nested namespace numpy_scalar two_models; do
    diff_of "$cases/$file.pth" "$cases/plain.pth" > /dev/null || fail "$file: $(diff_of "$cases/$file.pth" "$cases/plain.pth")"
done
said() { diff_of "$cases/$1.pth" "$cases/plain.pth" > /dev/null; grep -qF -- "$2" "$err" || fail "$1: $(cat "$err")"; }
said compiled_ddp '157 tensors of model, named without module._orig_mod.'
said nested '157 tensors of state.net'
said namespace 'args (argparse.Namespace)'
said numpy_scalar 'best (numpy'
said two_models 'model_ema (157 tensors, key model_ema)'
diff_of --key model_ema "$cases/two_models.pth" "$cases/plain.pth" > /dev/null || fail "two_models, model_ema"
(diff_of "$cases/retrieval.pth" "$cases/plain.pth" || true) | grep -q '^152 tensors the same, 0 differ, 0 of other shapes, 0 and 5 only' ||
    fail "retrieval: $(diff_of "$cases/retrieval.pth" "$cases/plain.pth" | tail -n 1)"
