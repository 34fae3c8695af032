//! The store without HTTP.

use tempfile::TempDir;

use super::*;

fn store() -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path().join("deep/er")).unwrap();
    (dir, store)
}

#[test]
fn what_was_put_is_there_for_every_process_until_it_is_deleted() {
    let (dir, store) = store();
    let handle = store.put(b"bytes", "ü.txt", "text/plain", Some("a/")).unwrap();
    let other = Store::open(dir.path().join("deep/er")).unwrap();
    let meta = other.get(&handle).unwrap().unwrap();
    assert_eq!(
        (meta.filename.as_str(), meta.mimetype.as_str(), meta.size),
        ("ü.txt", "text/plain", 5)
    );
    assert!(
        meta.key.starts_with("a/") && meta.key.ends_with("_ü.txt"),
        "{}",
        meta.key
    );
    assert_eq!(other.read(&handle).unwrap().as_deref(), Some(b"bytes".as_slice()));
    assert_eq!(other.handles().unwrap(), [handle.as_str()]);
    assert!(other.delete(&handle).unwrap());
    assert!(!store.delete(&handle).unwrap());
    assert!(!store.exists(&handle));
    assert_eq!(
        (store.get(&handle).unwrap(), store.read(&handle).unwrap()),
        (None, None)
    );
    assert!(store.is_empty().unwrap());
}

#[test]
fn a_reader_keeps_the_content_it_opened() {
    let (_dir, store) = store();
    let handle = store.put(b"old", "a", "text/plain", None).unwrap();
    let (before, mut open) = store.content(&handle).unwrap().unwrap();
    let scratch = store.scratch().unwrap();
    fs::write(scratch.content(), b"newer").unwrap();
    let after = store
        .replace(&handle, &scratch, "v2".into(), Clock::default().now())
        .unwrap()
        .unwrap();
    drop(scratch);
    let mut text = String::new();
    io::Read::read_to_string(&mut open, &mut text).unwrap();
    assert_eq!(
        (text.as_str(), after.size, after.filename.as_str()),
        ("old", 5, "a")
    );
    assert_ne!(before.version, after.version);
    assert_eq!(store.read(&handle).unwrap().as_deref(), Some(b"newer".as_slice()));
    let dir = store.dir(&handle).unwrap();
    assert_eq!(fs::read_dir(dir).unwrap().count(), 2, "the old content is gone");
}

#[test]
fn a_scratch_that_never_became_a_file_leaves_nothing() {
    let (_dir, store) = store();
    let scratch = store.scratch().unwrap();
    fs::write(scratch.content(), b"half").unwrap();
    drop(scratch);
    assert_eq!(fs::read_dir(store.root().join("tmp")).unwrap().count(), 0);
    assert!(store.is_empty().unwrap());
}

#[test]
fn only_old_leftovers_are_swept() {
    let (_dir, store) = store();
    for (name, age) in [
        ("old", LEFTOVER_AGE + Duration::from_secs(60)),
        ("young", Duration::from_secs(60)),
    ] {
        for place in ["tmp", "uploads"] {
            let path = store.root().join(place).join(name);
            fs::create_dir(&path).unwrap();
            File::open(&path)
                .unwrap()
                .set_modified(Clock::default().now() - age)
                .unwrap();
        }
    }
    store.sweep().unwrap();
    for place in ["tmp", "uploads"] {
        assert!(!store.root().join(place).join("old").exists());
        assert!(store.root().join(place).join("young").exists());
    }
}

#[test]
fn u19_names_that_are_no_handles_find_nothing() {
    let (_dir, store) = store();
    let handle = store.put(b"x", "a", "text/plain", None).unwrap();
    for name in [
        "",
        "..",
        "../../../../etc/passwd",
        "AAAAAAAAAAAAAAAAAAAA",
        "aaaaaaaaaaaaaaaaaa/.",
        "*",
        "????????????????????",
        "[a-zA-Z0-9]*",
        "%2e%2e%2f%2e%2e%2f%2e%2e%2f",
        &other_case(&handle),
    ] {
        assert!(!store.exists(name) && !store.delete(name).unwrap() && store.get(name).unwrap().is_none());
    }
}

/// The same letters in the other case.
fn other_case(handle: &str) -> String {
    let swap = |byte: char| {
        if byte.is_ascii_uppercase() {
            byte.to_ascii_lowercase()
        } else {
            byte.to_ascii_uppercase()
        }
    };
    handle.chars().map(swap).collect()
}

#[cfg(unix)]
#[test]
fn u19_a_record_or_a_link_that_points_elsewhere_is_not_followed() {
    let (dir, store) = store();
    let secret = dir.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    let handle = store.put(b"x", "a", "text/plain", None).unwrap();
    let content = store.dir(&handle).unwrap().join("content");
    fs::remove_file(&content).unwrap();
    std::os::unix::fs::symlink(&secret, &content).unwrap();
    assert!(store.read(&handle).is_err());
    let mut meta = store.get(&handle).unwrap().unwrap();
    meta.content = "../../../secret".into();
    fs::write(
        store.dir(&handle).unwrap().join("meta.json"),
        serde_json::to_vec(&meta).unwrap(),
    )
    .unwrap();
    assert!(store.read(&handle).is_err());
}

#[cfg(unix)]
#[test]
fn u19_no_step_of_a_files_path_may_be_a_link() {
    use std::os::unix::fs::symlink;

    let (dir, store) = store();
    let elsewhere = Store::open(dir.path().join("elsewhere")).unwrap();
    let secret = elsewhere.put(b"secret", "a", "text/plain", None).unwrap();
    let (theirs, shard) = (elsewhere.dir(&secret).unwrap(), &secret[..2]);
    let ours = store.root().join("files");
    let is_refused = || {
        assert!(store.get(&secret).is_err() && store.read(&secret).is_err() && !store.exists(&secret));
        assert!(store.link(&secret, &dir.path().join("linked")).is_err());
        let scratch = store.scratch().unwrap();
        fs::write(scratch.content(), b"new").unwrap();
        let now = Clock::default().now();
        assert!(store.replace(&secret, &scratch, "v".into(), now).is_err());
        assert!(elsewhere.read(&secret).unwrap().as_deref() == Some(b"secret".as_slice()));
    };
    // The directory of files that begin alike.
    symlink(theirs.parent().unwrap(), ours.join(shard)).unwrap();
    is_refused();
    assert!(store.delete(&secret).is_err());
    assert!(store.handles().unwrap().is_empty());
    let other = format!("{shard}{}", "A".repeat(18));
    assert!(store.put_as(&other, b"x", "a", "text/plain", None).is_err());
    assert_eq!(elsewhere.handles().unwrap(), [secret.as_str()]);
    // The file's own.
    fs::remove_file(ours.join(shard)).unwrap();
    fs::create_dir(ours.join(shard)).unwrap();
    symlink(&theirs, ours.join(shard).join(&secret)).unwrap();
    is_refused();
    // Its record, and its content by way of a pipe, which would be waited for.
    fs::remove_file(ours.join(shard).join(&secret)).unwrap();
    fs::create_dir(ours.join(shard).join(&secret)).unwrap();
    let record = ours.join(shard).join(&secret).join("meta.json");
    symlink(theirs.join("meta.json"), &record).unwrap();
    is_refused();
    fs::remove_file(&record).unwrap();
    fs::copy(theirs.join("meta.json"), &record).unwrap();
    let content = ours.join(shard).join(&secret).join("content");
    rustix::fs::mkfifoat(rustix::fs::CWD, &content, rustix::fs::Mode::RWXU).unwrap();
    assert!(store.read(&secret).is_err());
    // A link is removed, not what it leads to.
    fs::remove_dir_all(ours.join(shard).join(&secret)).unwrap();
    symlink(&theirs, ours.join(shard).join(&secret)).unwrap();
    assert!(store.delete(&secret).unwrap());
    assert!(elsewhere.read(&secret).unwrap().is_some());
}

#[cfg(unix)]
#[test]
fn the_directory_is_for_its_owner_only() {
    let (_dir, store) = store();
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(store.root()).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn keys_are_made_of_path_random_prefix_and_name() {
    assert!(storage_key(None, "a/b\\c\n.txt").ends_with("_a-b-c-.txt"));
    assert!(storage_key(Some("/x/"), "a").starts_with("x/"));
    assert_eq!(storage_key(Some("x/y.txt"), "a"), "x/y.txt");
}
