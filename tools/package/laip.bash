# Completion of the LAIP programs for bash: options and subcommands are read from each program's own --help.
_laip() {
    local cur prev words cword
    _init_completion -s || return
    local program=$1 help
    if [[ $cword -ge 2 && $("$program" --help 2> /dev/null | head -n 1) == *SUBCOMMAND* ]]; then
        help=("$program" "${words[1]}" --help)
    else
        help=("$program" --help)
    fi
    case $prev in
        --device) COMPREPLY=($(compgen -W "auto gpu cpu accelerator" -- "$cur")); return ;;
        --split) COMPREPLY=($(compgen -W "train val test" -- "$cur")); return ;;
        --storage) COMPREPLY=($(compgen -W "float half" -- "$cur")); return ;;
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$("${help[@]}" 2> /dev/null | grep -oE -- '--[a-z][a-z-]*=?' | sort -u)" -- "$cur"))
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
    elif [[ $cword -eq 1 ]]; then
        COMPREPLY=($(compgen -W "$("$program" --help 2> /dev/null |
            awk '/^Usage: .*SUBCOMMAND/ { listed = 1 } listed && /^  [a-z]+ / { print $1 }')" -- "$cur"))
        [[ ${#COMPREPLY[@]} -gt 0 ]] || _filedir
    else
        _filedir
    fi
} && complete -F _laip laip-train laip-eval laip-compare laip-model laip-data laip-bench laip-search
