//! `headwater setup`, without a download: what it says, and that the binary is its own worker.

use std::process::Output;

use headwater_warehouse::Places;

use crate::{Folder, headwater, stdout};

/// On a machine where nothing is installed and nobody can be asked.
fn setup(folder: &Folder, args: &[&str], vars: &[(&str, &str)]) -> Output {
    let mut command = headwater();
    command.arg("setup").args(args).current_dir(&folder.0);
    command.env_remove("HEADWATER_CHDB").env("XDG_DATA_HOME", folder.0.join("data")).env("HOME", &folder.0);
    command.envs(vars.iter().copied()).stdin(std::process::Stdio::null()).output().expect("the binary runs")
}

fn stderr(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn nothing_is_downloaded_unasked() {
    let folder = Folder::new("setup-unasked");
    let vars = [("npm_config_registry", "http://registry.invalid")];
    let why = stderr(&setup(&folder, &[], &vars));
    assert!(why.contains("headwater setup --yes") && why.contains("178 MB"), "{why}");
    assert!(!folder.0.join("data").exists());
}

#[test]
fn what_is_missing_is_said_with_the_way_to_get_it() {
    let folder = Folder::new("setup-missing");
    assert!(stderr(&setup(&folder, &["--check"], &[])).contains("run `headwater setup`"));
    let why = stderr(&setup(&folder, &["--from", "nowhere.tgz"], &[]));
    assert!(why.contains("nowhere.tgz"), "{why}");
    let damaged = folder.write("damaged.tgz", "no archive");
    let why = stderr(&setup(&folder, &["--from", damaged.to_str().expect("UTF-8")], &[]));
    assert!(why.contains("is not the file that was published"), "{why}");
}

#[test]
fn a_library_that_is_named_must_be_one() {
    let folder = Folder::new("setup-named");
    let check = |value: &str| stderr(&setup(&folder, &["--check"], &[("HEADWATER_CHDB", value)]));
    assert!(check("libchdb.so").contains("absolute path"));
    assert!(check("/nowhere/libchdb.so").contains("no file"));
    let text = folder.write("libchdb.so", "no library");
    assert!(check(text.to_str().expect("UTF-8")).contains("does not load"));
}

#[test]
fn the_binary_is_its_own_worker() {
    let library = match Places::from_env().library() {
        Ok(library) => library.path().to_owned(),
        Err(why) => panic!("this test needs the SQL engine; `cargo xtask test` brings it. {why}"),
    };
    let folder = Folder::new("setup-check");
    let output = setup(&folder, &["--check"], &[("HEADWATER_CHDB", library.to_str().expect("UTF-8"))]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stdout(&output).contains("it runs: version 26."), "{}", stdout(&output));
}

#[test]
fn a_worker_that_is_started_by_hand_says_so() {
    let output =
        headwater().arg("engine-worker").stdin(std::process::Stdio::null()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "no input, nothing to do");
    let help = headwater().arg("--help").output().expect("it runs");
    assert!(!stdout(&help).contains("engine-worker") && stdout(&help).contains("setup"));
}
