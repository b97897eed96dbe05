#!/usr/bin/env bash
# Start a Slurm of one node on this machine (Debian, Ubuntu; as root; meant for a container that is thrown away):
#   sudo tests/slurm.sh && pytest tests/test_slurm.py
# All it writes lies in /etc/slurm/slurm.conf and a temporary folder, or the one that is named. There is no accounting.
set -euo pipefail

here=${1:-$(mktemp -d -t autodpq-slurm.XXXXXX)}
mkdir -p "$here/state" "$here/spool"
chmod 755 "$here"
if ! command -v slurmctld > /dev/null || ! command -v slurmd > /dev/null || ! command -v munged > /dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge
fi
if [ -e /etc/slurm/slurm.conf ]; then
  echo "/etc/slurm/slurm.conf: expected none, for this machine may have a Slurm of its own, found one" >&2
  exit 1
fi

# Without cgroups, which a container seldom has: Slurm then counts memory when it plans, and does not enforce it.
cat > /etc/slurm/slurm.conf << EOF
ClusterName=one
SlurmctldHost=localhost
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$here/munge.socket
CredType=cred/munge
StateSaveLocation=$here/state
SlurmdSpoolDir=$here/spool
SlurmctldPidFile=$here/slurmctld.pid
SlurmdPidFile=$here/slurmd.pid
SlurmctldLogFile=$here/slurmctld.log
SlurmdLogFile=$here/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
NodeName=localhost CPUs=$(nproc) RealMemory=$(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE
EOF

head -c 1024 /dev/urandom > "$here/munge.key"
chmod 400 "$here/munge.key"
munged --force --key-file="$here/munge.key" --socket="$here/munge.socket" --pid-file="$here/munged.pid" \
  --log-file="$here/munged.log" --seed-file="$here/munge.seed"
slurmctld
slurmd -N localhost
sleep 3
sinfo
