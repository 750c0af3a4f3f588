#!/bin/sh
# The main process of a lab host, under `docker run --init`: keeps sshd and dockerd running.
# A file /run/hold.sshd or /run/hold.dockerd keeps one that has ended from coming back.
# From the environment: DOCKERD_ARGS, ENGINE=none for a machine that has none yet, and
# FORWARD="127.0.0.10:5000>10.0.0.5:5000 ...".
umask 022
mkdir -p /run/sshd /var/log /etc/ssh
rm -f /run/hold.sshd /run/hold.dockerd

for home in /root /home/deploy; do
  cp /lab/authorized_keys "$home/.ssh/authorized_keys"; chmod 600 "$home/.ssh/authorized_keys"
  chown -R "$(stat -c %u:%g "$home")" "$home/.ssh"
done
# One that is no host yet makes a key of its own, which nobody knows.
cp "/lab/hostkeys/$(hostname)" /etc/ssh/ssh_host_ed25519_key || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
chmod 600 /etc/ssh/ssh_host_ed25519_key
mkdir -p /etc/docker/certs.d/registry.lab:5443; cp /lab/ca.crt /etc/docker/certs.d/registry.lab:5443/ca.crt

# MaxSessions is OpenSSH's own default, as on most hosts. MaxStartups is higher: as many tests as a machine has
# processors log in at once, which no user's host sees.
cat >/etc/ssh/sshd_lab.conf <<C
Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
MaxStartups 100
MaxSessions 10
SetEnv PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Subsystem sftp /usr/lib/openssh/sftp-server
PidFile /run/sshd.pid
C

# The lab's services have the same address here as on the machine.
echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet
for pair in $FORWARD; do
  from=${pair%%>*} to=${pair##*>}
  iptables -t nat -A OUTPUT -d "${from%:*}" -p tcp --dport "${from##*:}" -j DNAT --to-destination "$to"
  iptables -t nat -A POSTROUTING -s 127.0.0.0/8 -d "${to%:*}" -p tcp --dport "${to##*:}" -j MASQUERADE
done

# The host is not `--privileged`, which a sandbox may be unable to grant, so what an engine writes to
# is made writable here; `bind` is what makes the kernel agree to it.
writable() { mount -o remount,rw,bind "$1" 2>/dev/null; }
writable /sys
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  writable /sys/fs/cgroup
  # A group with processes of its own cannot hand controllers down.
  mkdir -p /sys/fs/cgroup/init
  for process in $(cat /sys/fs/cgroup/cgroup.procs); do echo "$process" >/sys/fs/cgroup/init/cgroup.procs 2>/dev/null; done
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null; done
else
  for group in /sys/fs/cgroup/*; do writable "$group"; done
fi

keep_sshd() {
  while :; do
    [ -e /run/hold.sshd ] || /usr/sbin/sshd -D -e -f /etc/ssh/sshd_lab.conf >>/var/log/sshd.log 2>&1
    sleep 0.3
  done
}
keep_dockerd() {
  while :; do
    if [ ! -e /run/hold.dockerd ]; then
      rm -f /run/docker.pid /run/docker/containerd/containerd.pid
      # shellcheck disable=SC2086
      dockerd --group docker $DOCKERD_ARGS >>/var/log/dockerd.log 2>&1
    fi
    sleep 0.3
  done
}
stop() {
  touch /run/hold.dockerd
  engine=$(cat /run/docker.pid 2>/dev/null) && kill "$engine"
  tries=0
  while [ -n "$engine" ] && [ -d "/proc/$engine" ] && [ $tries -lt 80 ]; do sleep 0.1; tries=$((tries + 1)); done
  exit 0
}
trap stop TERM INT
keep_sshd &
[ "${ENGINE:-}" = none ] || keep_dockerd &
while :; do wait; sleep 1; done
