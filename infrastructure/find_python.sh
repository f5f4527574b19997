#!/bin/sh
# Prints the first interpreter that can hold the virtual environment: Python 3.11 or later, with venv and pip. The one
# of the Lambda runtime comes first. An argument names the only one to consider. Fails with one sentence otherwise.
set -u

suits() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys, ensurepip, sqlite3, ssl, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# pyenv's commands fail for versions that are installed but not chosen, so those are looked up behind them. With another
# home than the one it was installed for, pyenv names a folder that is not there.
behind_pyenv() {
    command -v pyenv >/dev/null 2>&1 || return 0
    for root in "$(pyenv root)" "$(dirname "$(dirname "$(readlink -f "$(command -v pyenv)")")")"; do
        ls -d "$root/versions/$1".*/bin/"python$1" 2>/dev/null
    done
}

for candidate in ${1:-python3.13 $(behind_pyenv 3.13) python3.12 python3.11 python3.14 python3 python}; do
    if suits "$candidate"; then
        command -v "$candidate"
        exit 0
    fi
done

if [ -n "${1:-}" ]; then
    echo "TaskSync needs Python 3.11 or later with the venv module, and $1 is not that." >&2
else
    echo "TaskSync needs Python 3.11 or later with the venv module; none was found on this machine's PATH." >&2
fi
exit 1
