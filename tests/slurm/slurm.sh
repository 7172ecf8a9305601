#!/usr/bin/env bash
# A whole Slurm on this one machine, for tests: munge, controller, node, and a GPU that is only scheduled.
#   slurm.sh up DIR     starts it; everything it writes is in DIR; SLURM_CONF=DIR/slurm.conf makes the client tools find it
#   slurm.sh down DIR   stops what `up` started, by the process ids in DIR
#   slurm.sh lose DIR   takes the node away without a word; the controller is set to notice within seconds
#   slurm.sh find DIR   brings the node back
# Needs root and Debian's packages slurm-wlm and munge. No systemd, nothing outside of 127.0.0.1.
set -euo pipefail

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Where cgroups (v1) can be made, Slurm limits memory and devices by them and a task that grows too large ends with 137.
# Elsewhere it samples the memory and kills the whole job.
has_cgroups() {
    local controller
    for controller in memory devices freezer cpuset; do
        mkdir "/sys/fs/cgroup/$controller/clearspot-probe" 2>/dev/null || return 1
        rmdir "/sys/fs/cgroup/$controller/clearspot-probe"
    done
}

configure() {
    local gpu=$dir/gpu0 limits
    mknod "$gpu" c 240 0
    echo "Name=gpu File=$gpu" >"$dir/gres.conf"
    if has_cgroups; then
        limits=$'ProctrackType=proctrack/cgroup\nTaskPlugin=task/cgroup'
        printf '%s\n' CgroupPlugin=cgroup/v1 CgroupMountpoint=/sys/fs/cgroup CgroupAutomount=no ConstrainCores=no \
            ConstrainRAMSpace=yes ConstrainDevices=yes >"$dir/cgroup.conf"
        echo cgroup >"$dir/limits"
    else
        limits=$'ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherParams=OverMemoryKill'
        echo sampled >"$dir/limits"
    fi
    # More CPUs and memory than there are (config_overrides): a job that waits must be waiting for its GPU.
    cat >"$dir/slurm.conf" <<CONF
ClusterName=clearspot
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CryptoType=crypto/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobCompType=jobcomp/none
SwitchType=switch/none
MpiDefault=none
$limits
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
EnforcePartLimits=ALL
ReturnToService=2
SlurmdTimeout=300
KillWait=5
GresTypes=gpu
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000 Gres=gpu:1
PartitionName=main Nodes=ALL Default=YES MaxTime=1-00:00:00 State=UP
CONF
}

up() {
    if [ -e "$dir" ]; then
        echo "$dir is there already" >&2
        exit 1
    fi
    mkdir -p "$dir/state" "$dir/spool"
    configure
    export SLURM_CONF=$dir/slurm.conf
    (umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")
    # --force: the folder of a test is not open to every user, which munge warns of.
    munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
        --log-file="$dir/munged.log" --seed-file="$dir/munge.seed" 2>"$dir/munged.err"
    slurmctld -c
    slurmd -c
    local tries
    for tries in $(seq 60); do
        if sinfo --noheader --format %T 2>/dev/null | grep -q idle; then
            return
        fi
        sleep 0.5
    done
    echo "The node did not become idle:" >&2
    sinfo --long --Node >&2 || true
    tail -n 20 "$dir"/*.log >&2
    down
    exit 1
}

down() {
    local daemon pid tries
    for daemon in slurmctld slurmd munged; do
        [ -s "$dir/$daemon.pid" ] || continue
        pid=$(<"$dir/$daemon.pid")
        kill "$pid" 2>/dev/null || continue
        for tries in $(seq 40); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.25
        done
        kill -KILL "$pid" 2>/dev/null || true
    done
    # the node leaves its empty cgroups behind
    find /sys/fs/cgroup/*/"slurm_$(hostname -s)" -depth -type d -exec rmdir {} + 2>/dev/null || true
}

# As where the cable is pulled: what runs on the node runs on, and nobody hears of it.
lose() {
    export SLURM_CONF=$dir/slurm.conf
    sed -i 's/^SlurmdTimeout=.*/SlurmdTimeout=6/' "$dir/slurm.conf"
    scontrol reconfigure
    kill -KILL "$(<"$dir/slurmd.pid")"
}

dir=$(realpath --canonicalize-missing "${2:?a folder}")
case "${1:-}" in
up) up ;;
down) down ;;
lose) lose ;;
find) SLURM_CONF=$dir/slurm.conf slurmd ;;
*)
    echo "slurm.sh up|down|lose|find DIR" >&2
    exit 2
    ;;
esac
