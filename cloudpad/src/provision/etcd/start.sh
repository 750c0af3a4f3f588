# Starts etcd, now and whenever the machine starts, and waits until its cluster answers through it.
set -eu
failed() {
  echo "etcd does not serve; its last words:" >&2
  journalctl --no-pager -n 15 -u etcd >&2 || :
  exit 1
}
systemctl unmask etcd
systemctl enable --now etcd || failed
tries=0
until ETCDCTL_API=3 etcdctl --endpoints https://127.0.0.1:2379 --cacert /etc/etcd/pki/ca.crt --cert /etc/etcd/pki/member.crt \
  --key /etc/etcd/pki/member.key --command-timeout 5s endpoint health; do
  [ $((tries += 1)) -le 20 ] || failed
  sleep 0.5
done
