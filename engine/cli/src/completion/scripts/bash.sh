# Completion of PROGRAM's command line for bash; made by `PROGRAM completion bash`.

_PROGRAM_complete() {
    # What bash took apart at characters like `:` and `=` is put together
    # again: two pieces with nothing between them are one word.
    local rest=${COMP_LINE:0:COMP_POINT} words=() piece bare i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        piece=${COMP_WORDS[i]}
        bare=${rest#"${rest%%[![:space:]]*}"}
        ((i < COMP_CWORD)) || piece=$bare
        if ((i == 0)) || [[ $bare != "$rest" ]]; then
            words+=("$piece")
        else
            words[${#words[@]} - 1]+=$piece
        fi
        rest=${bare#"$piece"}
    done

    local current=${words[${#words[@]} - 1]} answer directive
    answer=$("${words[0]}" __completeNoDesc "${words[@]:1}" 2>/dev/null) || return
    directive=${answer##*:}
    answer=${answer%:*}

    # Only what follows the last such character is replaced by bash.
    local value=$current front= kept
    if [[ $current == -*=* ]]; then
        value=${current#*=}
        [[ $COMP_WORDBREAKS == *=* ]] || front=${current%%=*}=
    fi
    kept=$front$value
    kept=${kept%"${kept##*:}"}
    [[ $COMP_WORDBREAKS == *:* ]] || kept=
    COMPREPLY=()
    while IFS= read -r piece; do
        [[ -n $piece && $piece == "$value"* ]] || continue
        piece=$front$piece
        COMPREPLY+=("${piece#"$kept"}")
    done <<<"$answer"

    if [[ $directive == 0 ]]; then
        compopt -o default 2>/dev/null
    fi
}

complete -F _PROGRAM_complete PROGRAM
