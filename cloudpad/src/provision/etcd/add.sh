# Tells the cluster that this machine is in of another member. Arguments: its name, and where its peers reach it.
set -eu
ctl() {
  ETCDCTL_API=3 etcdctl --endpoints https://127.0.0.1:2379 --cacert /etc/etcd/pki/ca.crt --cert /etc/etcd/pki/member.crt \
    --key /etc/etcd/pki/member.key --command-timeout 5s "$@"
}
# Who has joined just now is not taken for healthy at once, and nobody is added until then.
tries=0
until ctl member list | grep -qF "$2," || ctl member add "$1" --peer-urls "$2"; do
  [ $((tries += 1)) -le 20 ] || exit 1
  sleep 0.5
done
