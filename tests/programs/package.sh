# What an installation puts beside the programs: man pages where help2man is there, completion that knows the options.
# $1: build folder.
set -eu
build=$1
source=$LAIP_SOURCE_DIR
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

bash "$source/tools/package/man" "$build" "$work/man" > "$work/log" || { cat "$work/log"; fail "no man pages"; }
if command -v help2man > /dev/null; then
    for page in laip-train laip-eval laip-data laip-data-synth laip-model-convert laip-bench-step; do
        grep -q '^\.SH NAME' "$work/man/$page.1" || fail "no page of $page"
        ! grep -q "$build" "$work/man/$page.1" || fail "$page.1 names the build folder"
    done
    grep -q 'images.*per.*person' "$work/man/laip-data-synth.1" || fail "laip-data-synth.1 does not have its options"
else
    grep -q 'help2man is not installed' "$work/log" || fail "nothing says why there are no man pages"
fi

complete_line() { # WORD…: what bash offers for the last word
    PATH=$build:$PATH bash --norc -c '
        _init_completion() { words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=${words[cword]}; prev=${words[cword-1]}; }
        _filedir() { COMPREPLY=("files"); }
        compopt() { :; }
        source "$0"
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
        _laip "$1" "${@: -1}" "${@: -2:1}"
        echo "${COMPREPLY[*]}"' "$source/tools/package/laip.bash" "$@"
}
[[ " $(complete_line laip-data '') " == *" synth "* ]] || fail "laip-data's subcommands are not offered"
[ "$(complete_line laip-data synth --bi)" = --bind ] || fail "a subcommand's options are not offered"
[ "$(complete_line laip-train --resu)" = --resume ] || fail "laip-train's options are not offered"
[ "$(complete_line laip-eval --checkpoint '')" = files ] || fail "files are not offered"
[[ " $(complete_line laip-eval --device g) " == *" gpu "* ]] || fail "kinds of devices are not offered"
echo "all of it passed"
