#!/bin/sh
# Makes the image of a host whose first process is systemd: another host's image, with this machine's systemd in it, which keeps
# running what the other host is.  $1 image, $2 the other host's image.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
root=$work/root; list=$work/list; units=$root/usr/lib/systemd/system
mkdir -p "$units/sysinit.target.wants" "$units/sockets.target.wants" "$units/multi-user.target.wants" "$root/usr/bin"

# Programs with the libraries that they are linked with. What a newer systemd starts units with is not there in an older one.
for program in systemd systemd-executor systemd-journald systemd-shutdown; do ls "/lib/systemd/$program" 2>/dev/null || true; done >"$list"
for program in systemctl journalctl systemd-analyze; do command -v $program; done >>"$list"
xargs -a "$list" ldd 2>/dev/null | awk '/=> \//{print $3}' | sort -u >"$work/libraries"
xargs -a "$work/libraries" readlink -f >>"$list"
cat "$work/libraries" >>"$list"
sed -E 's#^/(lib|lib64|bin|sbin)/#/usr/\1/#' "$list" | sort -u | tar -C / -cf - --no-recursion -T - 2>/dev/null | tar -C "$root" -xf -

# Of its units only those of the journal, and the other host's own process as that of the engine: what is for machines with hardware
# is not wanted by anything here.
cp /lib/systemd/system/*.target /lib/systemd/system/systemd-halt.service "$units/"
cp /lib/systemd/system/systemd-journald.service /lib/systemd/system/systemd-journald.socket \
  /lib/systemd/system/systemd-journald-dev-log.socket "$units/"
ln -sf multi-user.target "$units/default.target"
ln -s ../systemd-journald.service "$units/sysinit.target.wants/"
ln -s ../systemd-journald.socket ../systemd-journald-dev-log.socket "$units/sockets.target.wants/"
ln -s ../docker.service "$units/multi-user.target.wants/"
cat >"$units/docker.service" <<'U'
[Unit]
Description=an engine and sshd, kept running
[Service]
ExecStart=/usr/bin/host-init
PassEnvironment=FORWARD DOCKERD_ARGS
Delegate=yes
KillMode=mixed
TimeoutStopSec=10
U
# As in the other host, what is written to is made writable; systemd needs it before it starts anything.
cat >"$root/usr/bin/systemd-init" <<'I'
#!/bin/sh
for mount in /sys /sys/fs/cgroup /sys/fs/cgroup/*; do mount -o remount,rw,bind "$mount" 2>/dev/null; done
export container=docker
exec /usr/lib/systemd/systemd
I
chmod 755 "$root/usr/bin/systemd-init"

container=$(docker create "$2"); trap 'docker rm -f -v "$container" >/dev/null; rm -rf "$work"' EXIT
tar -C "$root" --numeric-owner --owner 0 --group 0 -cf - . | docker cp - "$container:/"
docker commit -c 'ENTRYPOINT ["/usr/bin/systemd-init"]' "$container" "$1"
