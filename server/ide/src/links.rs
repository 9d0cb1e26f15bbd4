//! Document links: every name of another file is one click away.

use headwater_analysis::{Db, File, TextRange};

use crate::locate::{What, all, label, noun};

/// A link to another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The name.
    pub range: TextRange,
    /// Where it leads.
    pub file: File,
    /// What it is.
    pub tooltip: String,
}

/// Links of a file, in order of position.
pub fn document_links(db: &dyn Db, file: File) -> Vec<Link> {
    let mut links: Vec<_> = all(db, file)
        .into_iter()
        .filter_map(|located| match located.what {
            What::Vertex(v) if v.file != file => {
                let tooltip = format!("{} {}", noun(db, v), label(db, v));
                Some(Link { range: located.range, file: v.file, tooltip })
            }
            What::Include(target) => {
                Some(Link { range: located.range, file: target, tooltip: "included file".to_owned() })
            }
            _ => None,
        })
        .collect();
    links.sort_by_key(|l| (l.range.start(), l.range.end()));
    links.dedup_by_key(|l| l.range);
    links
}
