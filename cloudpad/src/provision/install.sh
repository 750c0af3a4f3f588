# Installs these packages. Files of theirs that are there already stay as they are.
set -eu
export DEBIAN_FRONTEND=noninteractive
case " $* " in
# Its package would start it at once, as a cluster of its own.
*' etcd-server '*) systemctl mask etcd ;;
esac
apt-get -q update
apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 \
  -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install "$@"
