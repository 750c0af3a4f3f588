//! Push provider `registry`: any OCI registry.
