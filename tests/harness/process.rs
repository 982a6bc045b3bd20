//! Processes, folders, ports, waiting.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tympan_tests::{Process, Scratch, free_port, wait_for, wait_until};

fn shell(script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]);
    shell
}

#[test]
fn ports_are_never_given_twice() {
    let ports: HashSet<u16> = (0..50).map(|_| free_port()).collect();
    assert_eq!(ports.len(), 50);
}

#[test]
fn a_dropped_process_takes_its_children_with_it() {
    let process = Process::start("parent", &mut shell("sleep 600 & echo child $!; wait"));
    let child = process.wait_for_line("its child", |line| line.strip_prefix("child ").map(PathBuf::from));
    let proc = Path::new("/proc").join(child);
    assert!(proc.exists());
    drop(process);
    // A killed child of a killed parent stays a moment, as a zombie of the process that inherited it.
    wait_until("the end of the child", || {
        !std::fs::read_to_string(proc.join("stat")).is_ok_and(|stat| !stat.contains(") Z "))
    });
}

#[test]
fn keeps_what_both_outputs_said() {
    let finished = Process::run("shell", &mut shell("echo one; echo two >&2; exit 3"));
    assert_eq!(finished.status.code(), Some(3));
    let mut lines: Vec<&str> = finished.output.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["one", "two"]);
}

#[test]
fn gives_input_to_a_process() {
    let finished = Process::run_with_input("cat", &mut Command::new("cat"), "hello\n");
    assert_eq!(finished.expect_success(), "hello");
}

#[test]
#[should_panic(expected = "last words")]
fn tells_what_a_process_said_when_it_ends_too_early() {
    let process = Process::start("shell", &mut shell("echo last words"));
    process.wait_for_line("something else", |line| line.contains("else").then_some(()));
}

#[test]
#[should_panic(expected = "did not end")]
fn does_not_wait_for_ever() {
    let _ = Process::start("sleep", Command::new("sleep").arg("600")).finish(Duration::from_millis(50));
}

#[test]
fn asks_a_process_to_end_before_it_kills() {
    let process = Process::start("shell", &mut shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"));
    process.wait_for_line("that it is ready", |line| (line == "ready").then_some(()));
    assert_eq!(process.stop().code(), Some(7));
}

#[test]
fn a_folder_is_gone_after_its_test() {
    let scratch = Scratch::new("self");
    let file = scratch.write("below/file", b"x");
    assert!(file.is_file());
    let path = scratch.path().to_owned();
    drop(scratch);
    assert!(std::env::var_os("TYMPAN_KEEP").is_some() || !path.exists());
}

#[test]
fn waits_for_what_comes_later() {
    let mut looks = 0;
    let found = wait_for("the third look", || {
        looks += 1;
        (looks == 3).then_some(looks)
    });
    assert_eq!(found, 3);
}
