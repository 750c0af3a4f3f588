#!/bin/sh
# Makes the image of a host with Docker Engine 26 and the containerd image store: another host's image with
# the engine of Debian trixie in it, which is unpacked and not installed.  $1 image, $2 the other host's image,
# $3 the keys of Debian's archive.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; chmod 755 "$work"
cd "$work"; mkdir -p state/lists/partial cache/archives/partial parts preferences debs unpacked

# An apt of its own, which knows trixie alone, from the mirror that the machine uses.
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -E '/debian/*$' | head -1)
cat >parts/trixie.sources <<S
Types: deb
URIs: ${mirror:-http://deb.debian.org/debian}
Suites: trixie
Components: main
Signed-By: $3
S
cat >apt.conf <<C
Dir::State "$work/state"; Dir::State::status "/var/lib/dpkg/status"; Dir::Cache "$work/cache";
Dir::Etc::sourceparts "$work/parts"; Dir::Etc::sourcelist "/dev/null"; Dir::Etc::preferencesparts "$work/preferences";
APT::Sandbox::User "root"; Acquire::Languages "none";
C
export APT_CONFIG="$work/apt.conf"
apt-get -qq update
(cd debs && apt-get -qq download docker.io/trixie docker-cli/trixie containerd/trixie)
for deb in debs/*.deb; do dpkg-deb -x "$deb" unpacked; done

# runc stays the machine's own: trixie's may need a newer libc than it has.
root=$work/root; mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/etc/docker"
cp unpacked/usr/bin/containerd unpacked/usr/bin/containerd-shim-runc-v2 unpacked/usr/bin/docker "$root/usr/bin/"
cp unpacked/usr/sbin/dockerd unpacked/usr/sbin/docker-proxy "$root/usr/sbin/"
ldd "$root/usr/sbin/dockerd" | awk '/=> \//{print $3}' | grep -v '/libc\.so' | while read -r library; do
  mkdir -p "$root/usr$(dirname "${library#/usr}")"; cp -L "$library" "$root/usr${library#/usr}"; done
echo '{"features": {"containerd-snapshotter": true}}' >"$root/etc/docker/daemon.json"
# The result replaces files of the other host, so both are laid over each other and imported as one layer.
container=$(docker create "$2"); trap 'docker rm -f "$container" >/dev/null; rm -rf "$work"' EXIT
mkdir whole; docker export "$container" | tar -C whole -xf - --exclude='dev/*'
cp -a "$root/." whole/
tar -C whole --numeric-owner -cf - . | docker import -c 'ENTRYPOINT ["/usr/bin/host-init"]' \
  -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' -c 'VOLUME /var/lib/docker' -c 'EXPOSE 22' - "$1"
