#!/usr/bin/env bash
# Builds an image with podman where none can be pulled: a bare Debian made by debootstrap replaces the base.
# That tries the Dockerfile's logic, not the real base. procps is left out of it, so that a Dockerfile that forgets it shows.
# Its Python is the version that the Dockerfile names where pyenv has that, in /usr/local as in the real base; or else Debian's.
#   image.sh FOLDER TAG [cpu|gpu]   writes FOLDER/containers.conf (name it in CONTAINERS_CONF) and builds TAG; layers are reused
# Exit code 77, with the reason as the last line: it cannot be tried on this machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=${1:?a folder}
tag=${2:?a tag}
kind=${3:-cpu}
python=$(sed -n 's/^ARG BASE=python:\([0-9.]*\)-.*/\1/p' "containers/$kind/Dockerfile")
of_pyenv=$(find "${PYENV_ROOT:-$HOME/.pyenv}/versions" -maxdepth 1 -name "$python.*" 2>/dev/null | sort -V | tail -n 1 || true)
base=localhost/clearspot-stand-in:bookworm${of_pyenv:+-python$python}

cannot() {
    echo "$1"
    exit 77
}
[ "$(id -u)" = 0 ] || cannot 'building the image needs root'
for tool in podman runc debootstrap apt-get; do
    command -v "$tool" >/dev/null || cannot "there is no $tool on PATH"
done

# As root without systemd, with the ulimits and cgroups of whatever container this may itself be.
export CONTAINERS_CONF=$folder/containers.conf
mkdir -p "$folder"
cat >"$CONTAINERS_CONF" <<'CONF'
[containers]
default_ulimits = ["nofile=1024:20000", "nproc=4096:4096"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
podman info >"$folder/podman.log" 2>&1 || cannot "podman does not work here: $(tail -n 1 "$folder/podman.log")"

stand_in() {
    local rootfs=$folder/rootfs mirror
    # the machine's own mirror; it is written into no file of the project
    mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' | awk '$1 == "bookworm" {print $2; exit}')
    [ -n "$mirror" ] || cannot 'this machine has no package mirror of Debian 12'
    local packages=ca-certificates,python3,python3-pip,python3-venv
    [ -z "$of_pyenv" ] || packages=ca-certificates,libexpat1,libffi8,libncursesw6,libnsl2,libreadline8,libsqlite3-0,libssl3,libuuid1
    debootstrap --variant=minbase "--include=$packages" \
        bookworm "$rootfs" "$mirror" >"$folder/debootstrap.log" 2>&1 \
        || cannot "debootstrap failed: $(tail -n 1 "$folder/debootstrap.log")"
    if [ -n "$of_pyenv" ]; then
        # without what somebody may have installed into it
        (cd "$of_pyenv" && tar --exclude=site-packages --exclude=__pycache__ -c "lib/python$python" lib/libpython* "bin/python$python") \
            | tar -C "$rootfs/usr/local" -x
        mkdir "$rootfs/usr/local/lib/python$python/site-packages"
        ln -s "python$python" "$rootfs/usr/local/bin/python3"
        ln -s "python$python" "$rootfs/usr/local/bin/python"
        chroot "$rootfs" ldconfig
        chroot "$rootfs" python3 -m ensurepip >"$folder/ensurepip.log" 2>&1 \
            || cannot "pyenv's Python $python does not run on Debian 12: $(tail -n 1 "$folder/ensurepip.log")"
    else
        ln -s python3 "$rootfs/usr/bin/python"
        rm -f "$rootfs"/usr/lib/python3*/EXTERNALLY-MANAGED
    fi
    rm -rf "$rootfs"/var/cache/apt/archives/*.deb
    tar -C "$rootfs" -c . | podman import --quiet - "$base"
    rm -rf "$rootfs"
}
podman image exists "$base" || stand_in

# The machine's own package configuration and certificates, where it has them: mounted for the build, not copied.
options=(--pull=never --build-arg "BASE=$base" --file "containers/$kind/Dockerfile" --tag "$tag")
if [ -f /etc/pip.conf ]; then
    options+=(--volume /etc/pip.conf:/etc/pip.conf:ro)
fi
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    options+=(--volume /etc/ssl/certs:/etc/ssl/certs:ro --build-arg SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt)
fi
podman build "${options[@]}" .
