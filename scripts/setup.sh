#!/bin/sh
# Make or renew .venv from the locks: `setup.sh runtime` installs what runs, `setup.sh dev` what tests and checks need on top.
# Everything from an index is hashed; our own members are installed as links, without their dependencies.
set -eu

cd "$(dirname "$0")/.."
what=$1
members="libs/money libs/events libs/chassis libs/policies libs/launcher demo bench services/invoice services/payment services/credit services/dunning services/reporting"
dev_members="libs/testkit libs/simulation torture"

# uv does not read pip's settings. Where only pip was told which index and certificates to use, pass that on, without printing it.
pip_setting() { .venv/bin/python -m pip config get "global.$1" 2>/dev/null || true; }
pass_on() { # pass_on UV_VARIABLE PIP_VARIABLE pip-setting
    eval "known=\${$1:-}; pip=\${$2:-}"
    [ -n "$known" ] || known=${pip:-$(pip_setting "$3")}
    [ -z "$known" ] || export "$1=$known"
}

if [ "$what" = runtime ]; then
    python=$(scripts/python.sh)
    # An environment that does not run, or that was made elsewhere (its links name the old place), is made anew.
    if ! .venv/bin/python -c 'import pip' 2>/dev/null || [ "$(cat .venv/.made-in 2>/dev/null)" != "$PWD" ]; then
        echo "making .venv with $python"
        rm -rf .venv
        "$python" -m venv .venv
        echo "$PWD" > .venv/.made-in
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
fi

pass_on UV_INDEX_URL PIP_INDEX_URL index-url
pass_on UV_EXTRA_INDEX_URL PIP_EXTRA_INDEX_URL extra-index-url
pass_on SSL_CERT_FILE PIP_CERT cert

uv() { .venv/bin/uv pip "$@" --quiet --python .venv/bin/python; }
editable() { for member in "$@"; do printf -- '-e %s ' "$member"; done; }

case $what in
runtime)
    uv install --require-hashes -r requirements.lock
    uv install --no-deps $(editable $members)
    ;;
dev)
    uv install --require-hashes -r requirements-dev.lock
    uv install --no-deps $(editable $dev_members)
    ;;
*)
    echo "usage: scripts/setup.sh runtime|dev" >&2
    exit 2
    ;;
esac
