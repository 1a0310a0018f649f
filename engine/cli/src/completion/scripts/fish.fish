# Completion of PROGRAM's command line for fish; made by `PROGRAM completion fish`.

function __PROGRAM_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    test (count $lines) -gt 0; or return
    set -l directive (string sub -s 2 -- $lines[-1])
    set -e lines[-1]
    # fish replaces the whole word, so a value comes with its flag.
    set -l front (string match -r -- '^-[^=]*=' $current; or echo '')
    for line in $lines
        printf '%s\n' $front$line
    end
    if test (count $lines) -eq 0 -a "$directive" = 0
        __fish_complete_path (string replace -- "$front" '' $current)
    end
end

complete -c PROGRAM -f -k -a '(__PROGRAM_complete)'
