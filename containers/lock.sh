#!/usr/bin/env bash
# Writes the locked, hashed requirement files from pyproject.toml. They name no address: the installer's own
# configuration says where packages come from.
# One file holds for every Python: where the newest release of a package does not support Python 3.11, it has two lines, and
# markers choose between them. Two files could drift apart in what they have in common, which is nearly all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
lock() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links "$@"
}
lock --upgrade --extra dev pyproject.toml --output-file containers/requirements-dev.lock
lock --constraints containers/requirements-dev.lock --extra pipeline pyproject.toml --output-file containers/requirements.lock
lock --upgrade --output-file containers/uv.lock - <<<'uv'
