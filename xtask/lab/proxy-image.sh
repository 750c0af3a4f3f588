#!/bin/sh
# Makes the image of the proxy that routes requests: Caddy of a Debian to come, which is unpacked and not installed, laid out as
# the image of its makers.  $1 image, $2 the keys of Debian's archive.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; chmod 755 "$work"
cd "$work"; mkdir -p state/lists/partial cache/archives/partial parts preferences debs unpacked

# An apt of its own, which knows that suite alone, from the mirror that the machine uses.
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -E '/debian/*$' | head -1)
cat >parts/forky.sources <<S
Types: deb
URIs: ${mirror:-http://deb.debian.org/debian}
Suites: forky
Components: main
Signed-By: $2
S
cat >apt.conf <<C
Dir::State "$work/state"; Dir::State::status "/var/lib/dpkg/status"; Dir::Cache "$work/cache";
Dir::Etc::sourceparts "$work/parts"; Dir::Etc::sourcelist "/dev/null"; Dir::Etc::preferencesparts "$work/preferences";
APT::Sandbox::User "root"; Acquire::Languages "none";
C
export APT_CONFIG="$work/apt.conf"
apt-get -qq update
(cd debs && apt-get -qq download caddy/forky libc6/forky ca-certificates/forky)
for deb in debs/*.deb; do dpkg-deb -x "$deb" unpacked; done

root=$work/root; mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/config" "$root/data" "$root/srv" "$root/tmp"
chmod 1777 "$root/tmp"
cp unpacked/usr/bin/caddy "$root/usr/bin/"
cat unpacked/usr/share/ca-certificates/mozilla/*.crt >"$root/etc/ssl/certs/ca-certificates.crt"
echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
# The libc of that Debian: the one here may be older than Caddy needs.
for name in libc.so.6 libresolv.so.2 libnss_dns.so.2 libnss_files.so.2 'ld-linux-*.so.*'; do
  for file in $(find unpacked -name "$name"); do
    mkdir -p "$root/usr/$(dirname "${file#unpacked/usr/}")"; cp -L "$file" "$root/usr/${file#unpacked/usr/}"; done; done
for link in lib lib64; do [ -d "$root/usr/$link" ] && ln -s "usr/$link" "$root/$link"; done
[ -e "$root/lib64" ] || ln -s usr/lib "$root/lib64"
tar -C "$root" --numeric-owner --owner=0 --group=0 -cf - . |
  docker import -c 'ENV PATH=/usr/bin XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data' -c 'WORKDIR /srv' \
    -c 'CMD ["caddy", "run"]' - "$1"
