//! Folders as they may be, read.

use super::*;
use std::os::unix::fs::symlink;
use std::process::Command;

struct Room(tempfile::TempDir);

impl Room {
    fn new() -> Self {
        let room = Self(tempfile::tempdir().unwrap());
        fs::create_dir(room.at("bin")).unwrap();
        room
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn file(&self, path: &str, mode: u32) -> &Self {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "#!/bin/sh\n").unwrap();
        self.mode(path, mode)
    }

    fn mode(&self, path: PathBuf, mode: u32) -> &Self {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    fn link(&self, to: &str, path: &str) -> &Self {
        symlink(self.at(to), self.at(path)).unwrap();
        self
    }

    fn read(&self, folders: Folders) -> Listing {
        self.read_trusting(&Ok(BTreeMap::new()), folders)
    }

    fn read_trusting(&self, trusted: &Trusted, folders: Folders) -> Listing {
        let mut listing = Listing::default();
        read(self.0.path(), trusted, &folders, &mut listing);
        listing
    }

    /// What is found in the folder `bin` of `PATH`.
    fn bin(&self) -> Listing {
        self.read(Folders { path: Some(self.at("bin").into()), ..Folders::default() })
    }

    /// The fault of `bin/cloudpad-x`.
    fn fault(&self) -> String {
        let listing = self.bin();
        let faults: Vec<_> = listing.candidates().filter(|c| c.name == "x").collect();
        faults[0].fault.clone().unwrap_or_default()
    }
}

#[test]
fn places_are_read_in_their_order() {
    let room = Room::new();
    for folder in [".cloudpad/plugins", "user", "system1", "system2", "bin"] {
        room.file(&format!("{folder}/cloudpad-x"), 0o755);
    }
    let folders = Folders {
        user: Some(room.at("user")),
        system: vec![room.at("system1"), room.at("missing"), room.at("system2")],
        path: Some(std::env::join_paths([room.at("bin"), room.at("user")]).unwrap()),
    };
    let listing = room.read(folders);
    let read: Vec<_> = listing.candidates().map(|c| (c.place, c.path.clone())).collect();
    let at = |place, folder: &str| (place, room.at(folder).join("cloudpad-x"));
    let expected = [
        at(Place::Project, ".cloudpad/plugins"),
        at(Place::User, "user"),
        at(Place::System, "system1"),
        at(Place::System, "system2"),
        at(Place::Path, "bin"),
    ];
    assert_eq!(read, expected, "and no folder twice");
    assert_eq!(listing.passed, []);
}

#[test]
fn entries_of_path_that_depend_on_the_working_directory_are_passed_over() {
    let room = Room::new();
    let path: OsString = format!(":.:bin:{}:", room.at("bin").display()).into();
    let listing = room.file("bin/cloudpad-x", 0o755).read(Folders { path: Some(path), ..Folders::default() });
    assert_eq!(listing.candidates().count(), 1);
    let passed: Vec<_> = listing.passed.iter().map(|p| p.path.to_str().unwrap()).collect();
    assert_eq!(passed, ["", ".", "bin", ""]);
    assert!(listing.passed[0].why.starts_with("an empty entry of PATH"), "{listing:?}");
}

#[test]
fn sound_files_have_no_fault() {
    let room = Room::new();
    room.file("bin/cloudpad-x", 0o755).file("bin/libcloudpad_y.so", 0o644);
    room.file("opt/z", 0o755).link("opt/z", "bin/cloudpad-z");
    for candidate in room.bin().candidates() {
        assert_eq!(candidate.fault, None, "{candidate:?}");
    }
    assert_eq!(room.bin().candidates().count(), 3);
}

#[test]
fn files_that_cannot_be_used() {
    let plain = |mode| {
        move |room: &Room| {
            room.file("bin/cloudpad-x", mode);
        }
    };
    let folder = |mode| {
        move |room: &Room| {
            room.file("bin/cloudpad-x", 0o755).mode(room.at("bin"), mode);
        }
    };
    let open_target = |room: &Room| {
        room.file("opt/x", 0o755).mode(room.at("opt"), 0o777).link("opt/x", "bin/cloudpad-x");
    };
    type Make<'a> = &'a dyn Fn(&Room);
    let cases: [(&str, Make); 9] = [
        ("it is not executable; `chmod +x ", &plain(0o644)),
        ("everybody may write to it; `chmod o-w ", &plain(0o757)),
        ("everybody may write to its folder `", &folder(0o777)),
        ("everybody may write to its folder `", &folder(0o1777)),
        ("everybody may write to its folder `", &open_target),
        ("it is a folder", &|room| fs::create_dir(room.at("bin/cloudpad-x")).unwrap()),
        ("it is no regular file", &|room| {
            Command::new("mkfifo").arg(room.at("bin/cloudpad-x")).status().unwrap();
        }),
        ("it is a link to something that is not there", &|room| {
            room.link("gone", "bin/cloudpad-x");
        }),
        ("it cannot be looked at: Too many levels of symbolic links", &|room| {
            room.link("bin/cloudpad-y", "bin/cloudpad-x").link("bin/cloudpad-x", "bin/cloudpad-y");
        }),
    ];
    for (expected, make) in cases {
        let room = Room::new();
        make(&room);
        let fault = room.fault();
        assert!(fault.starts_with(expected), "{expected}: {fault}");
    }
}

#[test]
fn names_that_are_nearly_a_plugins_are_told() {
    let room = Room::new();
    room.file("bin/cloudpad-x.py", 0o755);
    fs::write(room.at("bin").join(OsStr::from_bytes(b"cloudpad-\xff")), "").unwrap();
    let listing = room.bin();
    assert_eq!(listing.candidates().count(), 0);
    let mut whys: Vec<_> = listing.passed.iter().map(|p| p.why.as_str()).collect();
    whys.sort_unstable();
    assert_eq!(whys[0], "its name is not UTF-8");
    assert!(whys[1].starts_with("what follows `cloudpad-` is not"), "{whys:?}");
}

#[test]
fn a_folder_that_is_none_is_told() {
    let room = Room::new();
    room.file("file", 0o644);
    let listing = room.read(Folders { user: Some(room.at("file")), ..Folders::default() });
    assert!(listing.passed[0].why.starts_with("it cannot be read: Not a directory"), "{listing:?}");
}

#[test]
fn files_of_the_project_have_to_be_trusted() {
    let room = Room::new();
    room.file(".cloudpad/plugins/cloudpad-x", 0o755).file(".cloudpad/plugins/cloudpad-y", 0o755);
    let sum = Sum::of(&mut &b"x"[..]).unwrap();
    let trusted = Ok(BTreeMap::from([("cloudpad-x".to_owned(), sum)]));
    let listing = room.read_trusting(&trusted, Folders::default());
    for candidate in listing.candidates() {
        match candidate.name.as_str() {
            "x" => assert_eq!((candidate.trusted, &candidate.fault), (Some(sum), &None)),
            _ => assert!(candidate.fault.as_ref().unwrap().contains("type `cloudpad trust`")),
        }
    }
    let listing = room.read_trusting(&Err("nobody can tell".to_owned()), Folders::default());
    assert!(listing.candidates().all(|candidate| candidate.fault.as_deref() == Some("nobody can tell")));
}

#[test]
fn what_the_config_names_may_have_any_name() {
    let room = Room::new();
    room.file("tools/aws.py", 0o755).file("tools/gcp", 0o644);
    let named = |name: &str, path: &str| (name.to_owned(), room.at(path));
    let plugins = [named("aws", "tools/aws.py"), named("gcp", "tools/gcp"), named("none", "tools/none")];
    let read = read_config(&BTreeMap::from(plugins));
    assert_eq!((read[0].name.as_str(), &read[0].fault), ("aws", &None));
    assert!(read[1].fault.as_ref().unwrap().starts_with("it is not executable"));
    assert_eq!(read[2].fault.as_deref(), Some("it is not there"));
}

#[test]
fn a_huge_folder_is_read() {
    let room = Room::new();
    let folder = room.at("bin");
    // Links, which cost the least; a file may have some ten thousand.
    for (number, first) in (0..100_000).map(|number| (number, number % 5)) {
        match folder.join(format!("other-{number}")) {
            file if number == first => drop(fs::File::create(file).unwrap()),
            file => fs::hard_link(folder.join(format!("other-{first}")), file).unwrap(),
        }
    }
    room.file("bin/cloudpad-x", 0o755);
    let listing = room.bin();
    assert_eq!((listing.candidates().count(), listing.passed.len()), (1, 0));
}
