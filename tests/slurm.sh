#!/usr/bin/env bash
# Start a Slurm of one node on this machine (Debian, Ubuntu; as root; meant for a container that is thrown away):
#   sudo tests/slurm.sh FOLDER && pytest -n 0 tests/test_slurm.py      # without accounting
#   sudo ACCOUNTING=1 tests/slurm.sh FOLDER && pytest -n 0 ...         # with it: slurmdbd and a MariaDB of its own
#   sudo sh -c 'kill $(cat FOLDER/*.pid); rm /etc/slurm/slurm.conf'    # stop it
# All it writes lies in /etc/slurm/slurm.conf and FOLDER, by default a temporary one.
set -euo pipefail

here=$(realpath "${1:-$(mktemp -d -t autodpq-slurm.XXXXXX)}")
mkdir -p "$here/state" "$here/spool"
chmod 755 "$here"
accounting=${ACCOUNTING:-}
programs=(slurmctld slurmd munged ${accounting:+slurmdbd mariadbd mariadb-install-db mariadb})
packages=(slurmctld slurmd slurm-client munge ${accounting:+slurmdbd mariadb-server-core mariadb-client-core})
if ! type "${programs[@]}" &> /dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-upgrade --no-remove \
    "${packages[@]}"
fi
if [ -e /etc/slurm/slurm.conf ]; then
  echo "/etc/slurm/slurm.conf: expected none, for this machine may have a Slurm of its own, found one" >&2
  exit 1
fi

soon() {
  for _ in {1..20}; do
    "$@" &> /dev/null && return
    sleep 1
  done
  echo "$*: expected to succeed in one of 20 tries, did not; the logs are in $here" >&2
  return 1
}

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
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
${accounting:+AccountingStorageType=accounting_storage/slurmdbd}
AccountingStoragePass=$here/munge.socket
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
NodeName=localhost CPUs=$(nproc) RealMemory=$(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE
EOF

head -c 1024 /dev/urandom > "$here/munge.key"
chmod 400 "$here/munge.key"
munged --force --key-file="$here/munge.key" --socket="$here/munge.socket" --pid-file="$here/munged.pid" \
  --log-file="$here/munged.log" --seed-file="$here/munge.seed"
if [ "$accounting" ]; then
  database=(--no-defaults --user=root --datadir="$here/db")
  mariadb-install-db "${database[@]}" --skip-test-db &> "$here/mariadbd.log"
  setsid mariadbd "${database[@]}" --skip-networking --socket="$here/db.socket" --pid-file="$here/mariadbd.pid" \
    &>> "$here/mariadbd.log" &
  # Made here, for slurmdbd 24.11.5 with libmariadb 3.4.10 ends when it has to make its database itself.
  soon mariadb --no-defaults --socket="$here/db.socket" --execute="CREATE DATABASE slurm_acct_db"
  touch "$here/slurmdbd.conf"
  chmod 600 "$here/slurmdbd.conf"
  cat > "$here/slurmdbd.conf" << EOF
DbdHost=localhost
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$here/munge.socket
PidFile=$here/slurmdbd.pid
LogFile=$here/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
EOF
  # It reads the slurmdbd.conf beside the file that SLURM_CONF names.
  SLURM_CONF=$here/slurm.conf MYSQL_UNIX_PORT=$here/db.socket slurmdbd
  soon sacctmgr -n list tres
fi
slurmctld
slurmd -N localhost
sleep 3
sinfo
