#!/usr/bin/env bash
# Prints the first Python that the locked packages can be installed for; where there is none, says what was looked at.
# Looked at are the one that is named (`make PYTHON=...`), or else those on PATH and those of pyenv, newest last.
set -uo pipefail
wanted=${1:-}

# What is wrong with a Python, nothing where nothing is.
check='import sys
version = ".".join(map(str, sys.version_info[:3]))
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    print(f"is Python {version}")
else:
    try:
        import ensurepip, venv
    except ImportError as error:
        print(f"is Python {version} without {error.name} (on Debian: python3-venv)")'

if [ -n "$wanted" ]; then
    candidates=("$wanted")
else
    mapfile -t candidates < <(
        for name in python3.11 python3.12 python3.13 python3 python; do type -ap "$name"; done
        ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[123].*/bin/python3 2>/dev/null
    )
fi

looked=()
for candidate in "${candidates[@]}"; do
    if ! wrong=$("$candidate" -c "$check" 2>/dev/null); then
        wrong='does not run'
    elif [ -z "$wrong" ]; then
        echo "$candidate"
        exit 0
    fi
    looked+=("  $candidate $wrong")
done
{
    echo "No Python 3.11, 3.12 or 3.13 with venv. Looked at:"
    [ ${#looked[@]} -gt 0 ] && printf '%s\n' "${looked[@]}" | awk '!seen[$0]++' || echo "  python3.11, python3.12, python3.13, python3 and python on PATH, and pyenv: none is there"
    echo "Install one (on Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3.11"
} >&2
exit 69
