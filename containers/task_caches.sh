# Read by every bash in the container (BASH_ENV). Nextflow names a task's folder in NXF_TASK_WORKDIR: caches go there,
# so that neither a home nor a writable root is needed and no two tasks write to one cache.
if [ -n "${NXF_TASK_WORKDIR:-}" ]; then
    export HOME=$PWD
    export MPLCONFIGDIR=$PWD/.cache/matplotlib NUMBA_CACHE_DIR=$PWD/.cache/numba XDG_CACHE_HOME=$PWD/.cache
fi
