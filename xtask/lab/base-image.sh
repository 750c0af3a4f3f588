#!/bin/sh
# Makes the image that test applications are built on: busybox.  $1 image, $2 unpacked busybox-static.
set -eu
root=$(mktemp -d); trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/etc" "$root/tmp"; chmod 755 "$root"; chmod 1777 "$root/tmp"
busybox=$(ls "$2/bin/busybox" "$2/usr/bin/busybox" 2>/dev/null | head -1)
cp "$busybox" "$root/bin/busybox"
for applet in $("$busybox" --list); do [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"; done
echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
tar -C "$root" --numeric-owner --owner=0 --group=0 -cf - . |
  docker import -c 'ENV PATH=/bin' -c 'CMD ["/bin/sh"]' - "$1"
