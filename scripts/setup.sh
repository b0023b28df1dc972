#!/bin/sh
# Makes .venv ready: a Python that works, the pinned packages, the project itself, the browser files.
# Run by make when requirements change; safe to run again. Says little, and what to do when it cannot go on.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*"; }

# A name on the PATH proves nothing (version managers leave stubs behind): only one that runs and has venv counts.
works() {
    "$1" -c 'import ensurepip, ssl, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' \
        >/dev/null 2>&1 </dev/null
}

find_python() {
    for candidate in "${PYTHON:-}" python3.11 python3.12 python3 python \
        /usr/bin/python3.11 /usr/bin/python3.12 /usr/local/bin/python3.11 /usr/local/bin/python3.12 \
        "${HOME:-/nonexistent}"/.pyenv/versions/3.11*/bin/python "${HOME:-/nonexistent}"/.pyenv/versions/3.12*/bin/python \
        "${HOME:-/nonexistent}"/.local/bin/python3.11 "${HOME:-/nonexistent}"/.local/bin/python3.12; do
        if [ -n "$candidate" ] && works "$candidate"; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return 0
        fi
    done
    return 1
}

if ! { [ -x .venv/bin/python ] && works .venv/bin/python; }; then
    if ! python=$(find_python); then
        say "Facet needs Python 3.11 or 3.12 with its venv module, and found none that runs." >&2
        say "Install one (on Debian: python3 and python3-venv), or name it: make PYTHON=/path/to/python3.11 ..." >&2
        exit 1
    fi
    say "Making .venv with $("$python" --version 2>&1) ..."
    rm -rf .venv
    "$python" -m venv .venv
fi

pip() {
    .venv/bin/python -m pip --disable-pip-version-check --no-input install --quiet "$@" </dev/null
}

say "Installing pinned packages, checked by their hashes (the first time takes a minute or two) ..."
pip --require-hashes -r requirements/build.txt
pip --require-hashes --no-build-isolation -r requirements/dev.txt
pip --no-deps --no-build-isolation -e .

say "Fetching the browser's QR decoder ..."
.venv/bin/python scripts/vendor.py || say "  Going on without it: the wallet's server decodes camera frames instead."

touch .venv/.ready
