#!/bin/sh
# Makes the image of a machine that is no host yet: sshd, sudo and apt, and no engine. It is made of the packages of this machine that a
# Debian cannot do without, as they are installed here, so nothing has to be unpacked. `bare-systemd` has it run with systemd as its
# first process, which is there, and keeps sshd running.
# $1 image, $2 unpacked sudo.  `1` beside this script becomes its main process.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
root=$work/root

essential=$(dpkg-query -Wf '${Essential} ${Package}\n' | awk '$1 == "yes" {print $2}')
# shellcheck disable=SC2086
apt-cache depends --recurse --installed --important $essential apt mawk mount openssh-server procps iproute2 systemd |
  sed -n 's/^\([a-z0-9][^: ]*\).*/\1/p' | sort -u >"$work/wanted"
dpkg-query -Wf '${db:Status-Abbrev} ${Package}\n' | awk '$1 == "ii" {print $2}' | sort -u >"$work/installed"
comm -12 "$work/wanted" "$work/installed" >"$work/packages"

mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64" "$root/etc" "$root/run" "$root/tmp" "$root/proc" \
  "$root/sys" "$root/dev" "$root/root/.ssh" "$root/home/deploy/.ssh" "$root/var/lib/docker" "$root/etc/sudoers.d" "$root/etc/default" \
  "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/var/cache/apt/archives/partial" "$root/var/log" "$root/var/tmp"
chmod 755 "$root"; chmod 1777 "$root/tmp" "$root/var/tmp"; chmod 700 "$root/root" "$root/root/.ssh" "$root/home/deploy/.ssh"
for name in bin sbin lib lib64; do ln -s usr/$name "$root/$name"; done
ln -s ../run "$root/var/run"

# Their files, and what their scripts have made of them here.
{
  xargs -a "$work/packages" dpkg-query -L | grep '^/' | grep -vE '^/usr/share/(doc|man|locale|info)/'
  for name in /etc/nsswitch.conf /etc/ld.so.cache /etc/profile /etc/shells /etc/localtime; do [ ! -e $name ] || echo $name; done
  find /etc/pam.d /etc/apt /etc/ssl /etc/alternatives /var/lib/apt /var/cache/debconf /usr/share/keyrings
  for file in /var/lib/dpkg/alternatives/*; do sed -n 2p "$file"; done
} | sed -E 's#^/(lib|lib64|bin|sbin)/#/usr/\1/#' | grep -vE '^/(\.|lib|lib64|bin|sbin|run|var/run|proc|sys|dev)?$|^/(run|proc|sys|dev)/' |
  sort -u | while read -r file; do if [ -e "$file" ] || [ -L "$file" ]; then echo "$file"; fi; done |
  tar -C / -cf - --no-recursion -T - 2>/dev/null | tar -C "$root" -xf -
find "$root/etc/alternatives" "$root/usr/bin" "$root/usr/sbin" -xtype l -lname '*alternatives*' -delete

# dpkg's own records of just those.
awk 'NR == FNR {wanted[$1]; next} /^Package: / {keep = $2 in wanted} keep' "$work/packages" /var/lib/dpkg/status >"$root/var/lib/dpkg/status"
while read -r package; do
  for file in /var/lib/dpkg/info/"$package".* /var/lib/dpkg/info/"$package":*; do
    [ ! -e "$file" ] || cp "$file" "$root/var/lib/dpkg/info/"; done
done <"$work/packages"
cp -a /var/lib/dpkg/alternatives /var/lib/dpkg/triggers "$root/var/lib/dpkg/"
cp /var/lib/dpkg/info/format "$root/var/lib/dpkg/info/"
touch "$root/var/lib/dpkg/available" "$root/var/lib/dpkg/diversions" "$root/var/lib/dpkg/statoverride"
rm -f "$root/etc/apt/apt.conf.d/docker-clean" "$root/var/lib/apt/lists/lock"

cp -a "$2/." "$work/sudo"; cp -a "$work/sudo/usr/." "$root/usr/"; cp -a "$work/sudo/etc/." "$root/etc/"
[ ! -d "$work/sudo/lib" ] || cp -a "$work/sudo/lib/." "$root/usr/lib/"
echo 'deploy ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/deploy"; chmod 440 "$root/etc/sudoers.d/deploy"

cat >"$root/etc/passwd" <<'P'
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
sshd:x:100:65534::/run/sshd:/usr/sbin/nologin
_apt:x:42:65534::/nonexistent:/usr/sbin/nologin
deploy:x:1000:1000::/home/deploy:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
P
sed 's/:[^:]*$/:/' /etc/group | awk -F: '$3 < 100' >"$root/etc/group"
printf 'deploy:x:1000:\nnogroup:x:65534:\n' >>"$root/etc/group"
printf 'root:*:19000:0:99999:7:::\nsshd:!:19000::::::\ndeploy:*:19000:0:99999:7:::\nnobody:*:19000::::::\n' >"$root/etc/shadow"
chmod 640 "$root/etc/shadow"; chown -R 1000:1000 "$root/home/deploy"
echo 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' >"$root/etc/environment"
# The engine's script raises limits, which nobody here may.
echo 'ulimit() { :; }' >"$root/etc/default/docker"
cp 1 "$root/usr/bin/host-init"; chmod 755 "$root/usr/bin/host-init"
# What is for machines with hardware, or with a name service of systemd's, is not wanted here.
units=$root/usr/lib/systemd/system
find "$root/etc/systemd/system" "$units" -path '*.wants/*' ! -name 'systemd-journald*' ! -name 'systemd-tmpfiles*' -delete
mkdir -p "$units/multi-user.target.wants"
# Where there is none, systemd takes it for a first start, and enables all that it knows.
: >"$root/etc/machine-id"
ln -sf multi-user.target "$units/default.target"
ln -s ../lab.service "$units/multi-user.target.wants/"
cat >"$units/lab.service" <<'U'
[Unit]
Description=sshd, kept running
[Service]
Environment=ENGINE=none
ExecStart=/usr/bin/host-init
KillMode=mixed
TimeoutStopSec=10
U
cat >"$root/usr/bin/bare-systemd" <<'I'
#!/bin/sh
for mount in /sys /sys/fs/cgroup /sys/fs/cgroup/*; do mount -o remount,rw,bind "$mount" 2>/dev/null; done
export container=docker
exec /usr/lib/systemd/systemd
I
chmod 755 "$root/usr/bin/bare-systemd"
tar -C "$root" --numeric-owner -cf - . | docker import -c 'ENTRYPOINT ["/usr/bin/host-init"]' -c 'ENV ENGINE=none' \
  -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' -c 'VOLUME /var/lib/docker' -c 'EXPOSE 22' - "$1"
