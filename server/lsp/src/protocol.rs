//! The page of the server's own requests follows the code: it names a hash of everything that a client can see.

use std::fmt::Write as _;

use crate::PROTOCOL;
use crate::capabilities::{OPEN_BRANCH, PREVIEW, RUN_TEST, SHOW_DOWNSTREAM};
use crate::dispatch::Table;

/// Files with parts of the protocol, between `// protocol: begin` and `// protocol: end`.
const FILES: [&str; 2] = [include_str!("requests/preview.rs"), include_str!("requests/tests.rs")];

const PAGE: &str = include_str!("../../../docs/reference/protocol.md");

/// Everything that is agreed on beside the standard.
fn surface() -> String {
    let commands = [SHOW_DOWNSTREAM, PREVIEW, RUN_TEST, OPEN_BRANCH].join(" ");
    let mut out = format!("version {PROTOCOL}\ncommands {commands}\n");
    for method in Table::new().methods().filter(|method| method.starts_with("headwater/")) {
        let _ = writeln!(out, "{method}");
    }
    for file in FILES {
        for part in file.split("// protocol: begin").skip(1) {
            out.push_str(part.split("// protocol: end").next().unwrap_or_default());
        }
    }
    out
}

/// FNV-1a: enough to notice a change.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn the_page_is_about_this_protocol() {
    let now = format!("{:016x}", hash(&surface()));
    assert!(
        PAGE.contains(&now),
        "the server's own requests have changed. Read docs/reference/protocol.md against them, raise PROTOCOL when a client would \
         misunderstand what it knew, and write the new hash into the page: {now}"
    );
    for method in Table::new().methods().filter(|method| method.starts_with("headwater/")) {
        assert!(PAGE.contains(method), "the page does not speak of {method}");
    }
}
