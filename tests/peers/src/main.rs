//! Our SQL parser and others over the same texts, in the same run.
//!
//! `headwater-peers [--rounds N] [--python NAME=INTERPRETER]… DIR…`: each interpreter has sqlglot and is one more peer.
//! `cargo xtask bench --grammar` prepares them and runs this optimised.
//!
//! Every round takes each parser once over all texts of a class, so that what else the machine does meets all of them.
//! A text's time is the median of its rounds; a class's throughput is its bytes by the sum of those. Ratios are taken
//! within a round. Trees are dropped outside of the measured time.

mod measure;
mod parsers;
mod python;
mod texts;

// One reading of what a statement is, and of which file holds some: the one that the grammar is judged on.
#[allow(dead_code, missing_docs)]
#[path = "../../../xtask/src/grammar_eval/collect.rs"]
mod collect;
#[allow(dead_code, missing_docs)]
#[path = "../../../xtask/src/grammar_eval/tokens.rs"]
mod tokens;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use measure::Class;
use parsers::{Ours, Parser, Sequel, SqlParser};
use python::SqlGlot;

struct Options {
    rounds: usize,
    pythons: Vec<(String, PathBuf)>,
    folders: Vec<PathBuf>,
}

fn options() -> Result<Options> {
    let mut options = Options { rounds: 7, pythons: Vec::new(), folders: Vec::new() };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--rounds" => options.rounds = args.next().context("--rounds needs a number")?.parse()?,
            "--python" => {
                let named = args.next().unwrap_or_default();
                let (name, program) = named.split_once('=').context("--python needs NAME=INTERPRETER")?;
                options.pythons.push((name.to_owned(), program.into()));
            }
            folder => options.folders.push(folder.into()),
        }
    }
    ensure!(!options.folders.is_empty(), "no folder with SQL was named");
    ensure!(options.rounds > 0, "there must be a round");
    Ok(options)
}

fn main() -> Result<()> {
    let options = options()?;
    let texts = texts::read(&options.folders)?;
    let mut parsers: Vec<Box<dyn Parser>> =
        vec![Box::new(Ours::new()?), Box::new(Sequel::new()?), Box::new(SqlParser)];
    for (name, program) in &options.pythons {
        parsers.push(Box::new(SqlGlot::start(name, program)?));
    }

    let clean = measure::clean(&mut parsers, &texts.statements)?;
    let pick = |wanted: fn(bool, bool) -> bool| -> Vec<&str> {
        let all = texts.statements.iter().zip(clean[0].iter().zip(&clean[1]));
        all.filter(|(_, (ours, sequel))| wanted(**ours, **sequel)).map(|(text, _)| text.as_str()).collect()
    };
    let classes = [
        Class {
            name: "statements that ours and sequel parse cleanly",
            texts: pick(|ours, sequel| ours && sequel),
        },
        Class {
            name: "statements where sequel errs and ours does not",
            texts: pick(|ours, sequel| ours && !sequel),
        },
        Class { name: "statements where sequel errs", texts: pick(|_, sequel| !sequel) },
        Class { name: "statements, all", texts: pick(|_, _| true) },
        Class {
            name: "node SQL of datafiles, as written",
            texts: texts.nodes.iter().map(String::as_str).collect(),
        },
        Class {
            name: "node SQL of datafiles, its variants",
            texts: texts.variants.iter().map(String::as_str).collect(),
        },
    ];
    for class in classes.iter().filter(|c| !c.texts.is_empty()) {
        println!("{}", measure::measure(class, &mut parsers, options.rounds)?);
    }
    Ok(())
}
