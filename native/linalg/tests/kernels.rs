//! The environment variable that forces a kernel, in processes of their own: the choice is made once per
//! process.

use std::process::{Command, Output};
use tomobasis_linalg::{GramAccumulator, check_machine, column_major, kernel_name};

const VARIABLE: &str = "TOMOBASIS_KERNEL";

/// Tells a process that it is the one that was started.
const STARTED: &str = "TOMOBASIS_TEST_STARTED";

/// Runs the named test of this file again with the variable set.
fn with_kernel(kernel: &str, test: &str) -> Output {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture"]).env(VARIABLE, kernel).env(STARTED, "1");
    command.output().unwrap()
}

fn marked<'a>(output: &'a Output, mark: &str) -> &'a str {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().find_map(|line| line.split_once(mark)).unwrap_or_else(|| panic!("no {mark} in {text}")).1
}

/// What a process found: its kernel, whether the machine was accepted, and sums over values of the whole
/// range.
fn report() {
    let values: Vec<u16> = (0..3001 * 33u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 16) as u16).collect();
    let mut sum = GramAccumulator::new(33).unwrap();
    sum.add(column_major(&values, 3001, 33).unwrap()).unwrap();
    println!("\nkernel={}", kernel_name());
    println!(
        "machine={}",
        check_machine().map_or_else(|error| error.to_string(), |()| "accepted".to_owned())
    );
    println!("sums={:?}", sum.to_bytes());
}

#[test]
fn a_forced_kernel_is_used_or_refused_and_the_bits_are_the_same() {
    if std::env::var_os(STARTED).is_some() {
        return report();
    }
    let run = |kernel| with_kernel(kernel, "a_forced_kernel_is_used_or_refused_and_the_bits_are_the_same");
    let reference = run("");
    for kernel in ["amx", "avx512vnni", "avx512", "avx2", "neon", "portable", "no such kernel"] {
        let output = run(kernel);
        assert!(output.status.success(), "{kernel}: {}", output.status);
        assert_eq!(marked(&output, "sums="), marked(&reference, "sums="), "{kernel}");
        let machine = marked(&output, "machine=");
        if machine == "accepted" {
            assert_eq!(marked(&output, "kernel="), kernel);
        } else {
            println!("skipped: {kernel}: {machine}");
            assert!(machine.starts_with(&format!("{VARIABLE}={kernel}: not a kernel")), "{machine}");
            assert!(machine.ends_with("portable"), "{machine}");
            assert_eq!(marked(&output, "kernel="), marked(&reference, "kernel="));
        }
    }
    assert_eq!(marked(&run("portable"), "machine="), "accepted");
    assert_ne!(marked(&run("no such kernel"), "machine="), "accepted");
}
