//! A secret that a service's containers get. Pure.

/// Where a secret's value comes from, and what its file is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secret {
    /// What it is called where it is kept.
    pub name: String,
    /// The file's permission bits; else `0400`.
    pub mode: Option<u32>,
    /// The file's owner; else the user that the image names.
    pub uid: Option<u32>,
    /// The file's group; else that of the user that the image names.
    pub gid: Option<u32>,
}

impl Secret {
    /// One whose file, if it is one, is like any other.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Whether the container finds it in a file, which `target` is then the path of, and not in a variable.
    pub fn is_file(target: &str) -> bool {
        target.starts_with('/')
    }
}
