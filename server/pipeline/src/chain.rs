//! What becomes of a data source's rows: the views that see them, and the tables that they come into.

use std::collections::BTreeMap;

use headwater_engine::ingest::Schema;
use headwater_log::Consumer;
use sha2::{Digest, Sha256};

use crate::payload::schema;
use crate::release::{Release, Source, View};
use crate::status::Kind;

/// A release at work.
pub(crate) struct Running {
    pub(crate) release: Release,
    /// How rows of each data source are read.
    pub(crate) schemas: BTreeMap<String, Schema>,
    /// What becomes of each data source's rows.
    pub(crate) chains: BTreeMap<String, Chain>,
}

/// Views and tables behind a data source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    /// What views make of a block, parents before children.
    pub(crate) outputs: Vec<Output>,
    /// The tables.
    pub(crate) consumers: Vec<Planned>,
}

/// What a view makes of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// Index of the view in its release.
    pub(crate) view: usize,
    /// The output whose rows it sees; none when it sees the data source's.
    pub(crate) parent: Option<usize>,
    /// A name for it that holds as long as the physical tables and the way between them do.
    pub(crate) id: String,
}

/// A table, and what comes into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Planned {
    /// The consumer's name.
    pub(crate) name: Consumer,
    pub(crate) kind: Kind,
    /// The physical table.
    pub(crate) table: String,
    /// The data source whose table it is.
    pub(crate) fills: String,
    /// The outputs that come into it.
    pub(crate) outputs: Vec<usize>,
}

/// More ways from one data source are no pipeline.
const MAX_OUTPUTS: usize = 1000;

impl Running {
    /// # Errors
    /// What this version cannot read of the release.
    pub(crate) fn new(release: Release) -> Result<Self, String> {
        let schemas = release.sources.iter().map(|(name, source)| Ok((name.clone(), schema(source)?)));
        let schemas = schemas.collect::<Result<_, String>>()?;
        let chains = release.sources.iter();
        let chains = chains.map(|(name, source)| Ok((name.clone(), Chain::new(&release, name, source)?)));
        let chains = chains.collect::<Result<_, String>>()?;
        Ok(Self { release, schemas, chains })
    }

    pub(crate) fn view(&self, output: &Output) -> &View {
        &self.release.views[output.view]
    }

    /// Every consumer.
    pub(crate) fn consumers(&self) -> impl Iterator<Item = &Planned> {
        self.chains.values().flat_map(|chain| &chain.consumers)
    }
}

impl Chain {
    fn new(release: &Release, name: &str, source: &Source) -> Result<Self, String> {
        let mut outputs: Vec<Output> = Vec::new();
        let mut open = vec![(None, name)];
        while let Some((parent, source)) = open.pop() {
            for (view, it) in release.views.iter().enumerate().filter(|(_, view)| view.source == source) {
                if outputs.len() >= MAX_OUTPUTS {
                    return Err(format!("rows of `{name}` have more than {MAX_OUTPUTS} ways through views"));
                }
                let before = parent.map_or(name, |parent: usize| &outputs[parent].id);
                let target = release.sources.get(&it.target).map_or("", |target| &target.table);
                let id = digest(&[before, &it.pipe, &it.node, target]);
                outputs.push(Output { view, parent, id });
                open.push((Some(outputs.len() - 1), &it.target));
            }
        }
        let mut consumers = vec![
            Planned {
                name: source.table.as_str().into(),
                kind: Kind::Landing,
                table: source.table.clone(),
                fills: name.to_owned(),
                outputs: Vec::new(),
            },
            Planned {
                name: source.quarantine.as_str().into(),
                kind: Kind::Quarantine,
                table: source.quarantine.clone(),
                fills: name.to_owned(),
                outputs: Vec::new(),
            },
        ];
        for (nth, output) in outputs.iter().enumerate() {
            let fills = &release.views[output.view].target;
            let Some(target) = release.sources.get(fills) else { continue };
            let known = consumers.iter_mut().find(|c| c.kind == Kind::View && c.fills == *fills);
            match known {
                Some(consumer) => consumer.outputs.push(nth),
                None => consumers.push(Planned {
                    // A table may be filled from several data sources: it has come as far in each as it has.
                    name: format!("{}@{name}", target.table).into(),
                    kind: Kind::View,
                    table: target.table.clone(),
                    fills: fills.clone(),
                    outputs: vec![nth],
                }),
            }
        }
        Ok(Self { outputs, consumers })
    }

    /// The consumers that need an output, for themselves or for what is made of it.
    pub(crate) fn users(&self, output: usize) -> impl Iterator<Item = &Planned> {
        self.consumers.iter().filter(move |consumer| {
            consumer.outputs.iter().any(|&nth| {
                let mut at = Some(nth);
                while let Some(n) = at {
                    if n == output {
                        return true;
                    }
                    at = self.outputs[n].parent;
                }
                false
            })
        })
    }
}

/// 32 digits for several texts.
fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(16).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
