//! The program alone: what it says to what is no bundle.

use std::process::Command;

fn code(arguments: &[&str]) -> Option<i32> {
    Command::new(env!("CARGO_BIN_EXE_attain-verify")).args(arguments).output().expect("the program starts").status.code()
}

#[test]
fn what_is_no_bundle_is_refused_by_its_exit_code() {
    assert_eq!(code(&[]), Some(2));
    assert_eq!(code(&["--frobnicate"]), Some(2));
    assert_eq!(code(&["no-such-file.tar"]), Some(4));
    assert_eq!(code(&[concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]), Some(3));
    assert_eq!(code(&[concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "two"]), Some(2));
}
