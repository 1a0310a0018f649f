#compdef PROGRAM
# Completion of PROGRAM's command line for zsh; made by `PROGRAM completion zsh`.

_PROGRAM() {
    local -a lines candidates
    local line directive
    lines=("${(@f)$("${(Q)words[1]}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    directive=${lines[-1]#:}
    for line in "${(@)lines[1,-2]}"; do
        [[ -n $line ]] || continue
        # A colon ends the name for _describe, so those inside are escaped.
        if [[ $line == *$'\t'* ]]; then
            candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
        else
            candidates+=("${line//:/\\:}")
        fi
    done
    [[ ${words[CURRENT]} == -*=* ]] && compset -P '*='
    if (($#candidates)); then
        _describe -V 'PROGRAM' candidates
    elif [[ $directive == 0 ]]; then
        _files
    fi
}

if [[ ${funcstack[1]} == _PROGRAM ]]; then
    _PROGRAM "$@"
else
    compdef _PROGRAM PROGRAM
fi
