//! Compiles the four generated parsers and their scanners.

use std::path::Path;

fn main() {
    for directory in ["datafile/datasource", "datafile/pipe", "datafile/connection", "sql"] {
        let src = Path::new(directory).join("src");
        println!("cargo::rerun-if-changed={}", src.display());
        cc::Build::new()
            .std("c11")
            .include(&src)
            .file(src.join("parser.c"))
            .file(src.join("scanner.c"))
            // Generated code; its warnings are nobody's to fix.
            .warnings(false)
            // An unoptimised parser is several times slower, and the tests of the whole workspace
            // run on it.
            .opt_level(2)
            .compile(&format!("headwater-{}", directory.replace('/', "-")));
    }
    println!("cargo::rerun-if-changed=datafile/common/scanner.h");
}
