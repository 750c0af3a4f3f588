# Gives etcd its certificate and its configuration. Arguments: the authority's certificate, the member's, and the configuration.
set -eu
if [ -d /var/lib/etcd/default/member ]; then
  echo "it has become a member of a cluster since it was looked at, and is left alone" >&2
  exit 1
fi
put() {
  (umask 022; printf '%s\n' "$2" >"$1.partial")
  mv "$1.partial" "$1"
}
put /etc/etcd/pki/ca.crt "$1"
put /etc/etcd/pki/member.crt "$2"
file=/etc/default/etcd
if [ -e $file ] && ! grep -q '^# cloudpad ' $file; then
  cp -p $file $file.before-cloudpad
fi
put $file "$3"
