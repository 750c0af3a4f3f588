# What there is to know of etcd, behind what `look.sh` prints.
# Where we have logged in is where others reach it too; without a login over the network, where the way out begins.
address=$(echo "${SSH_CONNECTION:-}" | cut -d ' ' -f 3)
case $address in
'' | 127.* | ::1) address=$(ip -o route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([^ ]*\).*/\1/p') ;;
esac
say etcd "address $address"
has etcd && say etcd there
$root test -d /var/lib/etcd/default/member && say etcd data
for name in /proc/[0-9]*/comm; do
  [ "$(cat "$name" 2>/dev/null)" = etcd ] && { say etcd runs; break; }
done
has systemctl && $root systemctl is-enabled --quiet etcd 2>/dev/null && say etcd starts
pki=/etc/etcd/pki
if grep -qs '^# cloudpad ' /etc/default/etcd; then
  say etcd ours
  # What the cluster says of itself; a member that has not started yet has no name.
  $root env ETCDCTL_API=3 etcdctl --endpoints https://127.0.0.1:2379 --cacert $pki/ca.crt --cert $pki/member.crt \
    --key $pki/member.key --command-timeout 5s member list 2>/dev/null |
    sed 's/, /,/g' | while IFS=, read -r _ _ name peers _; do say etcd "member $peers $name"; done
fi
[ -r $pki/ca.crt ] && sed 's/^/etcd authority |/' $pki/ca.crt
[ -r $pki/member.csr ] && sed 's/^/etcd request |/' $pki/member.csr
exit 0
