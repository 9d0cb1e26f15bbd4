//! What each node of a chain costs: its own part of the time, and its rows.

use std::time::Duration;

use headwater_analysis::scope::{Resolution, names, resolve};
use headwater_analysis::{File, FileKind, flow, interface, resource_name};
use headwater_template::Parameters;
use headwater_warehouse::EngineError;

use super::{Asker, Cost, Question, QuestionError, What};
use crate::compile::Compiler;

/// A node of the chain.
#[derive(Debug, Clone)]
pub struct Step {
    /// `pipe:node`
    pub name: String,
    /// Its query with all that it reads.
    pub question: Question,
    /// Which steps it reads, by number.
    pub reads: Vec<usize>,
}

/// What a step cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// `pipe:node`
    pub name: String,
    /// Rows that it gives.
    pub rows: u64,
    /// The whole query up to here.
    pub cost: Cost,
    /// The time beyond that of the nodes that it reads. It is a difference of two measurements: what the engine saves by computing
    /// both at once counts for the later one.
    pub own: Duration,
}

/// More nodes than these are not measured one by one.
const MOST: usize = 64;

/// The node and all nodes that it reads, those that are read first.
///
/// # Errors
/// Why one of them is no question.
pub fn profile_steps(
    compiler: &Compiler<'_>,
    pipe: File,
    node: usize,
    parameters: &Parameters,
) -> Result<Vec<Step>, QuestionError> {
    let mut chain = Chain { compiler, parameters, known: Vec::new(), steps: Vec::new() };
    chain.visit(pipe, node, 0)?;
    Ok(chain.steps)
}

struct Chain<'c, 'db> {
    compiler: &'c Compiler<'db>,
    parameters: &'c Parameters,
    known: Vec<((File, usize), Option<usize>)>,
    steps: Vec<Step>,
}

impl Chain<'_, '_> {
    fn visit(&mut self, pipe: File, node: usize, depth: usize) -> Result<Option<usize>, QuestionError> {
        if let Some((_, step)) = self.known.iter().find(|(at, _)| *at == (pipe, node)) {
            return Ok(*step);
        }
        if depth > MOST || self.known.len() > MOST {
            return Ok(None);
        }
        self.known.push(((pipe, node), None));
        let db = self.compiler.db();
        let Some(face) = interface(db, pipe).as_ref() else { return Ok(None) };
        let names = names(db, self.compiler.project());
        let mut reads = Vec::new();
        for read in face.nodes.get(node).map(|n| n.reads.clone()).unwrap_or_default() {
            let next = match resolve(names, Some((&**face, node)), &read) {
                Resolution::Node(n) => Some((pipe, n)),
                Resolution::Resource(file) if file.kind(db) == Some(FileKind::Pipe) => {
                    interface(db, file).as_ref().and_then(|f| flow::output_node(f)).map(|n| (file, n))
                }
                _ => None,
            };
            if let Some((file, n)) = next
                && let Some(step) = self.visit(file, n, depth + 1)?
                && !reads.contains(&step)
            {
                reads.push(step);
            }
        }
        let question = Question::new(self.compiler, &What::Node(pipe, node), self.parameters)?;
        let name = face.nodes.get(node).map(|n| n.name.clone()).unwrap_or_default();
        let name = format!("{}:{name}", resource_name(db, pipe));
        self.steps.push(Step { name, question, reads });
        let step = self.steps.len() - 1;
        if let Some(known) = self.known.iter_mut().find(|(at, _)| *at == (pipe, node)) {
            known.1 = Some(step);
        }
        Ok(Some(step))
    }
}

impl Asker<'_> {
    /// Measures every step, the best of some rounds each.
    ///
    /// # Errors
    /// The engine's verdict on one of them, or what became of it.
    pub fn profile(&self, steps: &[Step], rounds: usize) -> Result<Vec<Profile>, EngineError> {
        let mut out: Vec<Profile> = Vec::with_capacity(steps.len());
        for step in steps {
            let (rows, cost) = self.measure(&step.question, rounds)?;
            let below: Duration = step.reads.iter().filter_map(|n| out.get(*n)).map(|p| p.cost.elapsed).sum();
            let own = cost.elapsed.saturating_sub(below);
            out.push(Profile { name: step.name.clone(), rows, cost, own });
        }
        Ok(out)
    }
}
