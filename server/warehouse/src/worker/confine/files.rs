//! Files, by Landlock: its own folders to write, what a program needs to run to read, and nothing else.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use crate::wire::Start;

/// The newest rules that we know. An older kernel enforces what it has of them.
const NEWEST: ABI = ABI::V6;

/// What the engine's library is made of, and what it reads of the machine: no home, no configuration, no process but its own.
const READABLE: [&str; 20] = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/nix/store",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/loadavg",
    "/proc/uptime",
    "/proc/sys/kernel",
    "/proc/sys/vm",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/dev/urandom",
];

/// Keeps this process to its files, and off TCP and processes outside where the kernel can.
pub(super) fn confine(start: &Start) -> Result<(), String> {
    let all = "the engine may read and write the user's files";
    let status = enforce(start).map_err(|e| format!("{all}: {e}"))?;
    match status {
        RulesetStatus::NotEnforced => Err(format!(
            "{all}: this kernel has no Landlock (5.13 and later have it, unless it is switched off)"
        )),
        // Every kernel with Landlock enforces which files can be opened; newer ones enforce more.
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
    }
}

fn enforce(start: &Start) -> Result<RulesetStatus, Box<dyn std::error::Error>> {
    let here = std::env::current_dir()?;
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    let read = AccessFs::from_read(NEWEST);
    let mut rules = allow(rules, &here, AccessFs::from_all(NEWEST))?;
    if !start.path.is_empty() {
        rules = allow(rules, Path::new(&start.path), AccessFs::from_all(NEWEST))?;
    }
    rules = allow(rules, &PathBuf::from(&start.library), read)?;
    rules = allow(rules, Path::new("/dev/null"), read | AccessFs::WriteFile)?;
    for path in READABLE {
        rules = allow(rules, Path::new(path), read)?;
    }
    Ok(rules.restrict_self()?.ruleset)
}

/// A rule for a path, of the rights that it can have: a file has no entries. No rule for a path that is not there.
fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(opened) = PathFd::new(path) else { return Ok(rules) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(NEWEST) };
    rules.add_rule(PathBeneath::new(opened, access))
}
