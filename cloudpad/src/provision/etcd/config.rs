//! A member's configuration, `/etc/default/etcd`: the variables of its manual. Pure.

use std::collections::BTreeMap;

use super::{CLIENTS, Machine, url};

/// What a member's file says; `members` are all that begin with it or are there: where peers reach each, and its name.
pub fn config(machine: &Machine, members: &BTreeMap<String, String>, token: &str, is_new: bool) -> String {
    let (clients, peers) = (url(&machine.address, CLIENTS), machine.peers());
    let loopback = if machine.address.is_ipv4() { "127.0.0.1" } else { "[::1]" };
    let all: Vec<_> = members.iter().map(|(peer, name)| format!("{name}={peer}")).collect();
    let (name, all) = (&machine.host.name, all.join(","));
    let state = if is_new { "new" } else { "existing" };
    format!(
        "# cloudpad hosts provision --etcd has written this. Once there is a member, it is not written again.
ETCD_NAME={name}
ETCD_DATA_DIR=/var/lib/etcd/default
ETCD_LISTEN_CLIENT_URLS={clients},https://{loopback}:{CLIENTS}
ETCD_ADVERTISE_CLIENT_URLS={clients}
ETCD_CERT_FILE=/etc/etcd/pki/member.crt
ETCD_KEY_FILE=/etc/etcd/pki/member.key
ETCD_TRUSTED_CA_FILE=/etc/etcd/pki/ca.crt
ETCD_CLIENT_CERT_AUTH=true
ETCD_LISTEN_PEER_URLS={peers}
ETCD_INITIAL_ADVERTISE_PEER_URLS={peers}
ETCD_PEER_CERT_FILE=/etc/etcd/pki/member.crt
ETCD_PEER_KEY_FILE=/etc/etcd/pki/member.key
ETCD_PEER_TRUSTED_CA_FILE=/etc/etcd/pki/ca.crt
ETCD_PEER_CLIENT_CERT_AUTH=true
# Of the start of the cluster, or of joining it; a member goes by what it knows since.
ETCD_INITIAL_CLUSTER={all}
ETCD_INITIAL_CLUSTER_STATE={state}
ETCD_INITIAL_CLUSTER_TOKEN={token}"
    )
}
