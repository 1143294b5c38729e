#!/bin/sh
# SPDX-License-Identifier: MIT
# From a tag to all boards: a signed release goes to some boards first, and to more only if it goes
# well there. Plain shell, for any CI; github.yml and gitlab.yml beside it call it.
#
#   release.sh publish 0.0.2     on a tag: packs, signs, checks, to the first $FIRST per cent
#   release.sh widen             every hour or so: reads the log; goes on, waits, or withdraws
#
# Where things are, from the environment:
#   SDBOOT     the tool (sdboot)
#   WWW        the folder that the web server serves; or a copy of it, which UPLOAD carries there
#   KEY        the secret key's file (made by sdboot keygen -W, kept in the CI's secrets)
#   PUBLIC     the boards' public key
#   LOG        the server's access logs, several with blanks between them
#   SOURCE     what is packed comes from this folder (src), and is PATHS (app main.py)
#   STEPS      per cent of the boards, one step after the other (5 25 100)
#   CONFIRMED  boards that must have confirmed it before the next step (3)
#   FAILED     per cent of the boards that may have taken it back (2)
#   UPLOAD     a command that brings $WWW to the server, e.g. "rsync -a www/ host:/srv/www/"
set -eu

: "${SDBOOT:=sdboot}" "${WWW:=www}" "${KEY:=sdboot.key}" "${PUBLIC:=sdboot.pub}" "${LOG:=}"
: "${SOURCE:=src}" "${PATHS:=app main.py}" "${STEPS:=5 25 100}" "${CONFIRMED:=3}" "${FAILED:=2}"
: "${UPLOAD:=true}"

# The newest release listed, and its share: "0.0.2 25".
newest() {
    awk -F';' '
        /^# sdboot .*file=/ { file = rollout = $0; sub(/.*file=/, "", file); sub(/ .*/, "", file)
                              if (sub(/.*rollout=/, "", rollout)) { sub(/ .*/, "", rollout); share[file] = rollout } }
        !/^#/ && NF >= 2    { version = $1; file = $2 }
        END                 { if (version) print version, file in share ? share[file] : 100 }
    ' "$WWW/versions"
}

# The step after $1 per cent; nothing after the last.
step_after() {
    for step in $STEPS; do
        if [ "$step" -gt "$1" ]; then
            echo "$step"
            return
        fi
    done
}

publish() {
    # shellcheck disable=SC2086 # PATHS are several words
    "$SDBOOT" release -v "$1" -C "$SOURCE" -o "$WWW" -k "$KEY" --rollout "${STEPS%% *}" $PATHS
    "$SDBOOT" verify -q -p "$PUBLIC" "$WWW"
    $UPLOAD
}

widen() {
    set -- $(newest)
    if [ $# -lt 2 ] || [ "$2" -ge 100 ]; then
        echo "nothing to do: ${1:-no release} goes to all boards"
        return
    fi
    # shellcheck disable=SC2086
    verdict=$("$SDBOOT" fleet --alert --json --boards 1 -r "$1" --min-confirmed "$CONFIRMED" \
        --max-failed "$FAILED" $LOG | sed -n 's/^ "verdict": "\(.*\)",*$/\1/p') || true
    case $verdict in
    good)
        "$SDBOOT" rollout -k "$KEY" "$(step_after "$2")" "$1" "$WWW"
        ;;
    wait)
        echo "$1 stays at $2 %: too few boards have confirmed it"
        return
        ;;
    bad)
        "$SDBOOT" withdraw -k "$KEY" "$1" "$WWW"
        $UPLOAD
        echo "$1 is withdrawn: boards took it back, see sdboot fleet" >&2
        exit 1
        ;;
    *)
        echo "the log can't be read" >&2
        exit 2
        ;;
    esac
    $UPLOAD
}

case ${1:-} in
publish) publish "${2:?which version?}" ;;
widen) widen ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
