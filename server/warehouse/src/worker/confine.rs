//! What the system itself forbids this process before it loads the engine: the last layer, which holds when the engine has a
//! fault that the others do not know of.
//!
//! It is asked for as far as the kernel knows it; what is missing is said and keeps nothing from running. It cannot be taken
//! back, and it counts for every thread, since there is one so far.

use crate::wire::Start;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod calls;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod files;

/// Confines this process. Returns what it is not kept from, in words for status pages.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn confine(start: &Start) -> Vec<String> {
    let mut open = Vec::new();
    if let Err(why) = files::confine(start) {
        open.push(why);
    }
    if let Err(why) = calls::confine() {
        open.push(format!("the engine may start programs and open sockets: {why}"));
    }
    // A crash writes no image of its memory, which holds rows.
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    open
}

/// Where we know of nothing to ask the system for.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(super) fn confine(_: &Start) -> Vec<String> {
    vec![
        "the engine may read and write the user's files and open sockets: this system has no Landlock"
            .to_owned(),
    ]
}
