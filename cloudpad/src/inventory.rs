//! Which hosts there are and which of them are meant: roles, selectors. Pure.

/// Which part of the project is meant. Empty lists mean everything; several entries of one list add
/// up, several lists narrow each other down. Entries may contain `*` and `?`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Services by name.
    pub services: Vec<String>,
    /// Services by group.
    pub groups: Vec<String>,
    /// Hosts by role.
    pub roles: Vec<String>,
    /// Hosts by name.
    pub hosts: Vec<String>,
}
