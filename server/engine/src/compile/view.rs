//! Materialized views and copies: queries whose rows go into a table.

use headwater_analysis::{File, FileKind, NodeType, interface};
use headwater_template::Parameters;

use super::expand::Expansion;
use super::{CompileError, Compiler, Statement};

/// A materialized view: a query over each block of new rows of one data source (specification §5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct View {
    /// The pipe.
    pub pipe: File,
    /// Index of the node.
    pub node: usize,
    /// The data source whose new rows it sees: the first table of its query.
    pub source: File,
    /// The data source that it fills.
    pub target: File,
}

/// A copy: a query whose rows go into a table when it is run (specification §5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Copy {
    /// The pipe.
    pub pipe: File,
    /// Index of the node.
    pub node: usize,
    /// The data source that it fills.
    pub target: File,
    /// What is there goes first.
    pub replaces: bool,
}

impl Compiler<'_> {
    /// Every view, in order of files. One whose query starts from nothing that the project defines is left out: no row
    /// ever reaches it. So is one without a target.
    pub fn views(&self) -> Vec<View> {
        let nodes = self.writers(NodeType::Materialized);
        let views = nodes.into_iter().filter_map(|(pipe, node, target, _)| {
            Some(View { pipe, node, source: self.trigger(pipe, node)?, target })
        });
        views.collect()
    }

    /// Every copy, in order of files.
    pub fn copies(&self) -> Vec<Copy> {
        let nodes = self.writers(NodeType::Copy);
        nodes
            .into_iter()
            .map(|(pipe, node, target, replaces)| Copy { pipe, node, target, replaces })
            .collect()
    }

    /// Where each arm of a view's query starts, in order: `None` for one that starts from no data source of the project. A
    /// view whose arms start from different ones is none that a block of rows could be put into.
    pub fn origins(&self, view: &View) -> Vec<Option<File>> {
        self.origins_of(view.pipe, view.node)
    }

    /// Nodes that say that they are views, with the data source that they fill, if the project has it.
    pub fn view_nodes(&self) -> Vec<(File, usize, Option<File>)> {
        let mut out = Vec::new();
        for file in self.project().files(self.db()).iter() {
            let Some(face) = interface(self.db(), *file) else { continue };
            for (index, node) in face.nodes.iter().enumerate().filter(|(_, n)| n.ty == NodeType::Materialized)
            {
                out.push((*file, index, node.writes.as_deref().and_then(|name| self.source(name))));
            }
        }
        out
    }

    fn writers(&self, ty: NodeType) -> Vec<(File, usize, File, bool)> {
        let mut out = Vec::new();
        for file in
            self.project().files(self.db()).iter().filter(|f| f.kind(self.db()) == Some(FileKind::Pipe))
        {
            let Some(face) = interface(self.db(), *file) else { continue };
            for (index, node) in face.nodes.iter().enumerate().filter(|(_, n)| n.ty == ty) {
                if let Some(target) = node.writes.as_deref().and_then(|name| self.source(name)) {
                    out.push((*file, index, target, node.replaces));
                }
            }
        }
        out
    }

    /// A view's query over the rows of the table `block`, which stands for its data source where the query starts. What it
    /// joins is read as it is.
    ///
    /// # Errors
    /// What keeps the query from being one.
    pub fn view_query(&self, view: &View, block: &str) -> Result<Statement, CompileError> {
        let parameters = Parameters::new();
        let mut expansion = Expansion::new(self, &parameters, &[]).over(view.source, block.to_owned());
        let text = expansion.render(view.pipe, view.node)?;
        expansion.finish(Some((view.pipe, view.node)), &text)
    }

    /// A copy's query.
    ///
    /// # Errors
    /// What keeps the query from being one.
    pub fn copy_query(&self, copy: &Copy, parameters: &Parameters) -> Result<Statement, CompileError> {
        self.node_query(copy.pipe, copy.node, parameters)
    }
}
