//! Tests of what may be replaced at a target.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::fs;
use std::path::Path;

use super::Error;
use super::fixture::{Home, package, reference, write};
use super::target::{Standing, look_at};
use crate::package::{Artifact, BlobContent};

/// Lays the documents of a package down, which these packages have nothing beside.
fn lay_down(artifact: &Artifact, folder: &Path) {
    for blob in &artifact.blobs()[1..] {
        let (Some(title), BlobContent::Bytes(bytes)) = (blob.descriptor.title(), &blob.content) else { continue };
        let path = folder.join(title);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn only_what_nobody_can_miss_may_be_replaced() {
    let home = Home::new();
    let (old, new) = (package("1.0.0", &[("README.md", "old\n")]), package("2.0.0", &[("README.md", "new\n")]));
    let target = home.work.join("demo");
    let look = |force| look_at(&target, new.config(), &home.store, force);
    assert_eq!(look(false).unwrap(), Standing::Free);
    fs::create_dir(&target).unwrap();
    assert_eq!(look(false).unwrap(), Standing::Replaceable, "an empty folder holds nothing");
    lay_down(&old, &home.work);
    assert!(matches!(look(false), Err(Error::Edited { .. })), "nobody knows this version yet");
    home.store.add_artifact(&old, &[reference("elsewhere.example/other/demo:1.0.0")]).unwrap();
    assert_eq!(look(false).unwrap(), Standing::Replaceable);
    write(&target, &[(".env", "SECRET=1\n")]);
    assert_eq!(look(false).unwrap(), Standing::Replaceable, "what is never packed does not count");
    write(&target, &[("README.md", "mine\n"), ("notes.txt", "n\n")]);
    let error = look(false).unwrap_err();
    let told = format!("{} has files that would be lost: changed README.md, added notes.txt", target.display());
    assert_eq!(error.to_string(), told);
    assert!(error.hint().unwrap().contains("--force"));
    assert_eq!(look(true).unwrap(), Standing::Replaceable);
    fs::remove_file(target.join("notes.txt")).unwrap();
    lay_down(&new, &home.work);
    assert_eq!((look(false).unwrap(), look(true).unwrap()), (Standing::Same, Standing::Same));
}

#[test]
fn a_package_of_another_name_in_the_store_permits_nothing() {
    let home = Home::new();
    let artifact = package("1.0.0", &[]);
    home.store.add_artifact(&artifact, &[reference("team/demo:1.0.0")]).unwrap();
    lay_down(&artifact, &home.work);
    fs::rename(home.work.join("demo"), home.work.join("other")).unwrap();
    let mut config = package("2.0.0", &[]).config().clone();
    config.metadata.name = "other".to_owned();
    assert!(matches!(look_at(&home.work.join("other"), &config, &home.store, false), Err(Error::Edited { .. })));
}

#[test]
fn what_is_no_folder_is_left_alone_unless_forced() {
    let home = Home::new();
    let artifact = package("1.0.0", &[]);
    let target = home.work.join("demo");
    fs::write(&target, "a file").unwrap();
    let look = |force| look_at(&target, artifact.config(), &home.store, force);
    assert!(matches!(look(false), Err(Error::Occupied(_))));
    assert_eq!(look(true).unwrap(), Standing::Replaceable);
    #[cfg(unix)]
    {
        fs::remove_file(&target).unwrap();
        fs::create_dir(home.work.join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(home.work.join("elsewhere"), &target).unwrap();
        assert!(matches!(look(false), Err(Error::Occupied(_))), "a link is not followed");
    }
}
