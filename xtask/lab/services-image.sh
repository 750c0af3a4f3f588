#!/bin/sh
# Makes the image of the registry and etcd.
# $1 image; unpacked packages: $2 busybox-static, $3 docker-registry, $4 etcd-server, $5 etcd-client.
set -eu
root=$(mktemp -d); trap 'rm -rf "$root"' EXIT; chmod 755 "$root"
mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/usr/lib64" "$root/etc" "$root/tmp" "$root/data" "$root/lab"; chmod 1777 "$root/tmp"
ln -s usr/bin "$root/bin"; ln -s usr/bin "$root/sbin"; ln -s usr/lib "$root/lib"; ln -s usr/lib64 "$root/lib64"
cp "$3/usr/bin/docker-registry" "$4/usr/bin/etcd" "$5/usr/bin/etcdctl" "$root/usr/bin/"
cp "$(ls "$2/bin/busybox" "$2/usr/bin/busybox" 2>/dev/null | head -1)" "$root/usr/bin/busybox"
# The libraries that they are linked with, each at its own path.
ldd "$3/usr/bin/docker-registry" "$4/usr/bin/etcd" "$5/usr/bin/etcdctl" 2>/dev/null |
  awk '/=> \//{print $3} $1 ~ /^\/lib/ && !/:$/{print $1}' | sort -u | while read -r library; do
    target=$root/usr${library#/usr}; mkdir -p "$(dirname "$target")"; cp -L "$library" "$target"; done
for applet in $("$root/usr/bin/busybox" --list); do
  [ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"; done
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
tar -C "$root" --numeric-owner --owner=0 --group=0 -cf - . |
  docker import -c 'ENV PATH=/usr/bin' -c 'VOLUME /data' - "$1"
