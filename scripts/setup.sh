#!/bin/sh
# Makes .venv with everything in it; does nothing when it is there and complete. Any POSIX shell.
#
# A file in .venv says which state it is in: `unfinished` from the first moment, replaced by `ready` at the very end,
# so that a set-up that was interrupted is begun anew and never taken for a finished one.
# `ready` holds what the set-up depends on; when that changes, it is done again.
#
# One set-up at a time: who makes the directory .setup-lock has it, and its process number stands in it. Others wait for
# it to go. One whose owner is gone (killed, the machine off) is taken over by the first to make `after-NUMBER` in it.
set -eu

CDPATH= cd -- "$(dirname -- "$0")/.."
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX
export PIP_DISABLE_PIP_VERSION_CHECK=1

venv=.venv
lock=.setup-lock
oldest="3.11"

fail() {
    printf 'watchword: %s\n' "$1" >&2
    exit 1
}

is_ready() {
    [ -f "$venv/ready" ] && [ "$(cat "$venv/ready")" = "$(state)" ] && is_python "$venv/bin/python"
}

# Return once this process has the lock.
take_lock() {
    said=
    vain=0       # times it could not be made, one after the other
    ownerless=0  # times looked for a living owner, one after the other
    until mkdir "$lock" 2>/dev/null; do
        if [ ! -d "$lock" ]; then
            # It was given back just now; or it cannot be made, and the system says why.
            reason=$(mkdir "$lock" 2>&1) && break
            vain=$((vain + 1))
            [ "$vain" -lt 5 ] || fail "a set-up cannot begin here ($reason): make $(pwd -P) writable, then run this again."
            continue
        fi
        vain=0
        owner=$(cat "$lock/pid" 2>/dev/null) || owner=
        ownerless=$((ownerless + 1))
        [ "$ownerless" -le 100 ] || fail "$lock was left by a set-up that was killed: remove it, then run this again."
        if [ -z "$owner" ]; then
            # So for a moment after it was made; for longer when its maker was killed in that moment.
            [ "$ownerless" -le 25 ] || owner=nobody
        elif kill -0 "$owner" 2>/dev/null; then
            ownerless=0
            if [ "$said" != "$owner" ]; then
                printf 'Another set-up is at work (process %s): waiting for it. Should there be none, remove %s.\n' "$owner" "$lock"
                said=$owner
            fi
            owner=
        fi
        if [ -n "$owner" ] && mkdir "$lock/after-$owner" 2>/dev/null; then
            # In the meantime somebody else may have taken over from that owner, finished, and a third one begun.
            now=$(cat "$lock/pid" 2>/dev/null) || now=nobody
            [ "$now" = "$owner" ] && break
            rmdir "$lock/after-$owner"
        fi
        sleep 0.2 2>/dev/null || sleep 1
    done
    printf '%s\n' "$$" >"$lock/pid.new"
    mv -- "$lock/pid.new" "$lock/pid"
    # Moved away first, so that it goes as one.
    trap 'mv -- "$lock" "$lock.$$" && rm -rf -- "$lock.$$"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
}

state() {
    pwd -P  # an environment that was moved has the old place in its scripts
    cksum pyproject.toml requirements-dev.txt
}

# Whether $1 runs and is new enough.
is_python() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# Whether $1 can make an environment with pip in it. Debian and Ubuntu ship ensurepip in a package of its own.
has_venv() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

# Prints the first usable interpreter: the usual one, else a newer one beside it.
find_python() {
    without_venv=
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python; do
        is_python "$candidate" || continue
        if has_venv "$candidate"; then
            command -v -- "$candidate"
            return
        fi
        without_venv=${without_venv:-$candidate}
    done
    if [ -n "$without_venv" ]; then
        version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        fail "Python $version has no venv module: install it (Debian, Ubuntu: apt install python$version-venv), then run this again."
    fi
    if found=$(python3 -V 2>&1); then
        fail "Python $oldest or newer is needed and python3 is $found: install a newer one (Debian, Ubuntu: apt install python3.11 python3.11-venv; macOS: brew install python), then run this again."
    fi
    fail "Python $oldest or newer is needed and there is none: install it (Debian, Ubuntu: apt install python3 python3-venv; Fedora: dnf install python3; macOS: brew install python), then run this again."
}

if is_ready; then
    exit 0
fi
take_lock
if is_ready; then
    exit 0
fi

# An environment of somebody's own making is kept; one that was interrupted, moved or does not run is not.
if [ -e "$venv" ]; then
    moved=
    if [ -f "$venv/ready" ] && [ "$(head -n 1 "$venv/ready")" != "$(pwd -P)" ]; then
        moved=yes
    fi
    if [ -n "$moved" ] || [ -f "$venv/unfinished" ] || ! is_python "$venv/bin/python" ||
        ! "$venv/bin/python" -c 'import pip' >/dev/null 2>&1; then
        rm -rf -- "$venv"
    fi
fi

if [ ! -e "$venv" ]; then
    python=$(find_python)
    printf 'Setting up %s with %s; this takes a minute, once.\n' "$venv" "$python"
    mkdir "$venv"
    : >"$venv/unfinished"
    if ! "$python" -m venv "$venv"; then
        rm -rf -- "$venv"
        fail "$python cannot make a virtual environment (see above): install its venv package (Debian, Ubuntu: apt install python3-venv), then run this again."
    fi
else
    printf 'Bringing %s up to date.\n' "$venv"
    : >"$venv/unfinished"
    rm -f -- "$venv/ready"
fi

"$venv/bin/python" -m pip install --quiet --constraint requirements-dev.txt --editable '.[dev]' ||
    fail "the packages could not be installed (see above): check the connection to the package index, then run this again."

state >"$venv/ready.new"
mv -- "$venv/ready.new" "$venv/ready"
rm -f -- "$venv/unfinished"
