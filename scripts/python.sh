#!/bin/sh
# Print the path of the best Python on this machine, by running it: a shim that answers "command not found" is not one.
# PYTHON=/path/to/python overrides the search.
set -u

no_venv=""
for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python3.14}; do
    version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))' 2>/dev/null) || continue
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        "$candidate" -c 'import sys; print(sys.executable)'
        exit 0
    fi
    no_venv="$no_venv $version"
done

if [ -n "$no_venv" ]; then
    first=${no_venv# }
    first=${first%% *}
    echo "Python $first is here but without its venv and ensurepip modules: install them (on Debian and Ubuntu: sudo apt-get install python$first-venv), then run the command again." >&2
else
    echo "No Python >= 3.11 was found${PYTHON:+ as $PYTHON}: install one, or name it with make PYTHON=/path/to/python3." >&2
fi
exit 1
