#!/usr/bin/env bash
# check_distributions.sh FOLDER [PYTHON]: builds sdist and wheel into FOLDER, and denoises a section with the wheel in an empty
# environment that has nothing but the locked versions of what the package itself asks for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
dist=$(realpath -m "$1")
python=${2:-$(tools/find_python.sh)}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$python" -m venv "$scratch/tools"
"$scratch/tools/bin/python" -m pip install --quiet --require-hashes --requirement containers/uv.lock
uv=$scratch/tools/bin/uv

"$uv" build --quiet --python "$python" --out-dir "$dist"
"$uv" venv --quiet --python "$python" "$scratch/empty"
grep -oE '^[a-z0-9][^ ]*==[^\]*' containers/requirements.lock >"$scratch/constraints.txt"
"$uv" pip install --quiet --python "$scratch/empty/bin/python" --constraints "$scratch/constraints.txt" "$dist"/clearspot-*.whl

cd "$scratch"
bin=$scratch/empty/bin
"$bin/python" - <<'SECTION'
import anndata as ad
import numpy as np

rows, columns = np.divmod(np.arange(100), 10)
section = ad.AnnData(np.random.default_rng(0).poisson(3, (100, 60)).astype(np.float32))
section.obsm["spatial"] = np.column_stack([columns + 0.5 * (rows % 2), rows * 0.75**0.5]) * 100.0
section.write_h5ad("section.h5ad")
SECTION
"$bin/clearspot" denoise section.h5ad -o denoised.h5ad --epochs 2 --genes all
"$bin/python" -c 'import anndata; assert anndata.read_h5ad("denoised.h5ad").layers["denoised"].shape == (100, 60)'

# What an extra brings is not here, and is named.
status=0
"$bin/clearspot" superresolve denoised.h5ad -o superresolved 2>message || status=$?
grep -F "clearspot[superres]" message
[ "$status" = 69 ]
echo "$("$bin/clearspot" --version): installed from $(basename "$dist"/clearspot-*.whl) in an empty environment"
