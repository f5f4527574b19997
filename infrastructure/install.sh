#!/bin/sh
# Installs packages into the virtual environment of a Python: install.sh PYTHON ARGUMENTS-OF-PIP-INSTALL…
# uv does it in a fraction of pip's time. It reads none of pip's settings (a mirror, a proxy's certificate), so where it
# fails, pip has the last word, and it is pip's error that is seen. Modules are compiled when they are first imported: most
# never are, and to compile them all would take most of the time.
set -u
python=$1
shift

uv=${UV:-.venv/bin/uv}
if [ ! -x "$uv" ]; then
    "$python" -m pip install --quiet --disable-pip-version-check --requirement infrastructure/requirements-install.txt \
        >/dev/null 2>&1
fi
if [ -x "$uv" ] && "$uv" pip install --quiet --python "$python" "$@" 2>/dev/null; then
    exit 0
fi
exec "$python" -m pip install --quiet --disable-pip-version-check "$@"
