# SPDX-License-Identifier: MIT
# Completion of sdboot for bash; for zsh after `autoload bashcompinit; bashcompinit`.
# Commands and options are asked of the tool itself.
_sdboot() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local tool=${COMP_WORDS[0]} command=${COMP_WORDS[1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "$("$tool" --help 2>/dev/null | sed -n 's/^  \([a-z]*\)   *[a-z].*/\1/p') --help --version" -- "$word"))
    elif [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$("$tool" "$command" --help 2>/dev/null | grep -o -e ' --[a-z-]*' -e ' -[a-zA-Z],')" -- "$word"))
        COMPREPLY=("${COMPREPLY[@]%,}")
    elif [ "$command" = card ] && [ "$COMP_CWORD" -eq 2 ]; then
        COMPREPLY=($(compgen -W "info check manifest extract repair sync" -- "$word"))
    elif [ "$before" = --fs ]; then
        COMPREPLY=($(compgen -W "fat littlefs" -- "$word"))
    else
        COMPREPLY=($(compgen -f -- "$word"))
    fi
}
complete -o filenames -F _sdboot sdboot
