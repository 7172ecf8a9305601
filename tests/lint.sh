#!/usr/bin/env bash
# Every linter. A known fault of a linter is named and explained here; a finding fails.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
export NXF_OFFLINE=true NXF_ANSI_LOG=false NO_COLOR=1
command -v nextflow >/dev/null || PATH="$PWD/tools/nextflow/bin:$PATH"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$scratch/log" 2>&1; then
        echo "lint: $name: passed"
    else
        echo "lint: $name: FAILED"
        cat "$scratch/log"
        failed=1
    fi
}

# `nextflow lint` of 25.04.4 dies with a NullPointerException where a file has errors but no warnings (getWarnings is
# null) or warnings but no errors (getErrors is null), and so never prints either. The first is a failure; the second is
# not: the strict parser's own compilation, below, then is the judge.
# Files are linted together, and in halves only where that fails: each start of Nextflow takes seconds.
nextflow_lint() {
    (cd "$scratch" && nextflow lint "${@/#/$OLDPWD/}") >"$scratch/one" 2>&1 && return 0
    if [ $# -gt 1 ]; then
        local half=$(($# / 2)) bad=0
        nextflow_lint "${@:1:half}" || bad=1
        nextflow_lint "${@:half+1}" || bad=1
        return $bad
    fi
    if grep -q 'getErrors()" is null' "$scratch/one"; then
        echo "$1: warnings that the linter cannot print"
        return 0
    fi
    echo "$1: errors"
    cat "$scratch/one"
    return 1
}

# The strict syntax parser compiles the whole pipeline and prints what it rejects.
strict_parser() {
    local root=$PWD
    (cd "$scratch" && NXF_SYNTAX_PARSER=v2 nextflow run "$root/main.nf" --help >help.txt 2>&1 && grep -q -- '--input' help.txt) || {
        cat "$scratch/help.txt"
        return 1
    }
}

# nf-core's tools stop at the first exception and print it; .nf-core.yml names and explains what is left out.
nf_core_lint() {
    nf-core --hide-progress pipelines lint --dir . --markdown "$scratch/nf-core.md"
}

# Misspelt words in every text that is not generated; what a test misspells on purpose says so (`codespell:ignore`).
spelling() {
    git ls-files -z -- ':!*.png' ':!*.svg' ':!*.lock' | xargs -0 codespell
}

# What is written by a tool, against what the tool would write now.
generated() {
    local tool bad=0
    for tool in docs_tables environments version; do
        python "tools/$tool.py" --check || bad=1
    done
    return $bad
}

types() {
    local found=0
    wait "$mypy" || found=$?
    cat "$scratch/mypy"
    return $found
}

# It takes a minute on one core: the others run beside it.
mypy >"$scratch/mypy" 2>&1 &
mypy=$!

check 'generated files' generated
check 'ruff check' ruff check .
check 'ruff format' ruff format --check .
check 'import-linter' lint-imports --no-cache --no-logo
check 'codespell' spelling
check 'vocabulary' python tools/words.py
check 'nextflow lint' nextflow_lint nextflow.config $(git ls-files '*.nf' 'conf/*.config')
check 'nextflow strict parser' strict_parser
check 'nf-core pipelines lint' nf_core_lint
check 'nf-core pipelines schema lint' nf-core --hide-progress pipelines schema lint nextflow_schema.json
check 'mypy' types
exit $failed
