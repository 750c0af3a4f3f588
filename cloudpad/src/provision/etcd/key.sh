# Makes a key for etcd, which never leaves this machine, and a request to certify it. Argument: the member's name.
set -eu
mkdir -p /etc/etcd/pki
cd /etc/etcd/pki
if [ ! -s member.key ]; then
  (umask 077; openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out member.key.partial)
  chown etcd: member.key.partial
  mv member.key.partial member.key
fi
openssl req -new -key member.key -subj "/CN=$1" -out member.csr.partial
mv member.csr.partial member.csr
