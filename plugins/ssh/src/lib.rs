//! Push and deploy provider `ssh`: containers on hosts, through one connection each.
