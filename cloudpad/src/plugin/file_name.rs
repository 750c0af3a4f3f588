//! The names of plugins' files. Pure.
//!
//! A plugin called `aws-inventory` is the executable `cloudpad-aws-inventory`, or the dynamic library
//! `cloudpad-aws-inventory.so` or `libcloudpad_aws_inventory.so`, as Cargo and linkers call it.

use std::ffi::OsStr;
use std::path::Path;

use cloudpad_plugin_api::Stage;

use crate::config::is_provider_name;

/// How a plugin runs. In one folder an executable goes before a library of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// Linked in, for this stage.
    BuiltIn(Stage),
    /// A program.
    Executable,
    /// A dynamic library, loaded by a process of its own.
    Library,
}

const PREFIX: &str = "cloudpad-";
const LIBRARY_PREFIX: &str = "libcloudpad_";
const LIBRARY: &str = if cfg!(target_os = "macos") { ".dylib" } else { ".so" };

/// The name and the carrier of the plugin that a file of this name is; none where it is something else
/// altogether.
///
/// # Errors
/// Why a file that looks like a plugin is none.
pub fn read(file: &OsStr) -> Option<Result<(String, Carrier), String>> {
    let bytes = file.as_encoded_bytes();
    let mut prefixes = [PREFIX, LIBRARY_PREFIX].into_iter();
    let prefix = prefixes.find(|prefix| bytes.starts_with(prefix.as_bytes()))?;
    let Some(text) = file.to_str() else {
        return Some(Err("its name is not UTF-8".to_owned()));
    };
    let rest = &text[prefix.len()..];
    let (name, carrier) = match (prefix, rest.strip_suffix(LIBRARY)) {
        (PREFIX, None) => (rest.to_owned(), Carrier::Executable),
        (PREFIX, Some(stem)) => (stem.to_owned(), Carrier::Library),
        (_, Some(stem)) => (stem.replace('_', "-"), Carrier::Library),
        // What else a compiler leaves beside a library.
        (_, None) => return None,
    };
    Some(match is_provider_name(&name) {
        true => Ok((name, carrier)),
        false => Err(format!(
            "what follows `{prefix}` is not a plugin's name, which begins with a lower-case letter and consists of \
             lower-case letters, digits and `-`"
        )),
    })
}

/// The carrier of a file that the config names, whatever its name is.
pub fn carrier(file: &Path) -> Carrier {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if name.ends_with(LIBRARY) { Carrier::Library } else { Carrier::Executable }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn names_of_files() {
        let (executable, library) = (Carrier::Executable, Carrier::Library);
        let plugins = [
            ("cloudpad-aws", "aws", executable),
            ("cloudpad-aws-inventory", "aws-inventory", executable),
            ("cloudpad-aws.so", "aws", library),
            ("libcloudpad_aws_inventory.so", "aws-inventory", library),
        ];
        for (file, name, carrier) in plugins {
            assert_eq!(read(OsStr::new(file)), Some(Ok((name.to_owned(), carrier))), "{file}");
        }
        for file in ["cloudpad", "cloudpad_aws", "ls", "libcloudpad_aws.rlib", "libcloudpad_aws.so.1", ""] {
            assert_eq!(read(OsStr::new(file)), None, "{file}");
        }
        for file in ["cloudpad-", "cloudpad-aws.py", "cloudpad-Aws", "cloudpad-aws.so.1", "cloudpad-1"] {
            let why = read(OsStr::new(file)).unwrap().unwrap_err();
            assert!(why.starts_with("what follows `cloudpad-` is not a plugin's name"), "{file}: {why}");
        }
        let latin = OsStr::from_bytes(b"cloudpad-\xe4ws");
        assert_eq!(read(latin), Some(Err("its name is not UTF-8".to_owned())));
    }

    #[test]
    fn a_file_in_the_config_may_have_any_name() {
        assert_eq!(carrier(Path::new("/opt/aws.py")), Carrier::Executable);
        assert_eq!(carrier(Path::new("/opt/aws.so")), Carrier::Library);
    }
}
