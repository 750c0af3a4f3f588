#!/bin/sh
# Makes the image of a host from files of this machine: its engine, its sshd and what they need.
# $1 image, $2 unpacked busybox-static.  `1` beside this script becomes the host's main process.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
root=$work/root; list=$work/list
path() { command -v "$1" || true; }

# Programs, and where one is a symlink its target too.
{
  for program in dockerd containerd containerd-shim-runc-v2 runc docker-proxy docker-init docker \
    sshd ssh ssh-keygen scp xtables-nft-multi xtables-legacy-multi \
    dash bash tar gzip zstd curl ip tc ss pigz; do path $program; done
  ls /usr/lib/openssh/sftp-server
  dpkg -L coreutils findutils grep sed mawk procps util-linux mount hostname kmod 2>/dev/null | grep -E '^(/usr)?/s?bin/'
} | while read -r file; do [ -f "$file" ] && { echo "$file"; readlink -f "$file"; }; done | sort -u >"$list"
# The libraries they are linked with, and those they open by name.
xargs -a "$list" ldd 2>/dev/null | awk '/=> \//{print $3} $1 ~ /^\/lib/ && !/:$/{print $1}' | sort -u >"$work/libraries"
xargs -a "$work/libraries" readlink -f >>"$list"
cat "$work/libraries" >>"$list"
ls -d /usr/lib/*/xtables/*.so /usr/lib/*/libnss_* 2>/dev/null >>"$list" || true

mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64" "$root/usr/share" "$root/usr/libexec" \
  "$root/etc/ssh" "$root/etc/docker" "$root/root/.ssh" "$root/home/deploy/.ssh" "$root/run" "$root/tmp" "$root/opt" \
  "$root/srv" "$root/var/lib/docker" "$root/var/log" "$root/var/tmp" "$root/proc" "$root/sys" "$root/dev"
chmod 755 "$root"; chmod 1777 "$root/tmp" "$root/var/tmp"; chmod 700 "$root/root" "$root/root/.ssh" "$root/home/deploy/.ssh"
for name in bin sbin lib lib64; do ln -s usr/$name "$root/$name"; done
ln -s ../run "$root/var/run"
sed -E 's#^/(lib|lib64|bin|sbin)/#/usr/\1/#' "$list" | sort -u |
  tar -C / -cf - --no-recursion -T - 2>/dev/null | tar -C "$root" -xf -

# Small commands come from busybox; the shell is dash, since busybox's prefers its own applets to $PATH.
busybox=$(ls "$2/bin/busybox" "$2/usr/bin/busybox" 2>/dev/null | head -1)
cp "$busybox" "$root/usr/bin/busybox"; ln -sf dash "$root/usr/bin/sh"; ln -sf mawk "$root/usr/bin/awk"
for applet in $("$busybox" --list); do
  [ -e "$root/usr/bin/$applet" ] || [ -e "$root/usr/sbin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"; done
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  ln -sf xtables-nft-multi "$root/usr/sbin/$name"; done
cp -a /etc/ssl "$root/etc/"
cp -a /usr/share/ca-certificates "$root/usr/share/" 2>/dev/null || true

cat >"$root/etc/passwd" <<'P'
root:x:0:0:root:/root:/bin/bash
sshd:x:100:65534::/run/sshd:/usr/sbin/nologin
deploy:x:1000:1000::/home/deploy:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
P
printf 'root:x:0:\ndocker:x:999:deploy\ndeploy:x:1000:\nnogroup:x:65534:\n' >"$root/etc/group"
printf 'root:*:19000:0:99999:7:::\nsshd:!:19000::::::\ndeploy:*:19000:0:99999:7:::\nnobody:*:19000::::::\n' >"$root/etc/shadow"
chmod 640 "$root/etc/shadow"; chown -R 1000:1000 "$root/home/deploy"
echo 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' >"$root/etc/environment"
cp 1 "$root/usr/bin/host-init"; chmod 755 "$root/usr/bin/host-init"
tar -C "$root" --numeric-owner -cf - . | docker import -c 'ENTRYPOINT ["/usr/bin/host-init"]' \
  -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' -c 'VOLUME /var/lib/docker' -c 'EXPOSE 22' - "$1"
