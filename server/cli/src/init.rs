//! `headwater init --cicd`: workflows that need no cloud and no token.

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::Database;

use crate::args::{Cicd, InitArgs};
use crate::project::{current_dir, display_path, load_one};
use crate::{CannotRun, Verdict, print};

const GITHUB: &str = include_str!("init/github.yml");
const GITLAB: &str = include_str!("init/gitlab.yml");

pub(crate) fn run(args: &InitArgs) -> Result<Verdict, CannotRun> {
    let here = current_dir()?;
    let mut db = Database::default();
    let loaded = load_one(&mut db, args.dir.as_deref())?;
    let project = loaded.root.path;
    // Without a repository around it, the project's folder is where one will be.
    let repository = project.ancestors().find(|d| d.join(".git").exists()).unwrap_or(&project).to_owned();
    let folder = project.strip_prefix(&repository).unwrap_or(Utf8Path::new(""));
    let folder = if folder.as_str().is_empty() { Utf8Path::new(".") } else { folder };
    let (path, text) = match args.cicd {
        Cicd::Github => (Utf8PathBuf::from(".github/workflows/headwater.yml"), workflow(GITHUB, folder)),
        Cicd::Gitlab => (Utf8PathBuf::from(".gitlab/headwater.yml"), workflow(GITLAB, folder)),
    };
    let target = repository.join(&path);
    if target.exists() && !args.force {
        return Err(CannotRun(format!("{target} is there already; --force overwrites it")));
    }
    let cannot = |error: std::io::Error| CannotRun(format!("{target} cannot be written: {error}"));
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent).map_err(cannot)?;
    }
    std::fs::write(&target, text).map_err(cannot)?;
    print(&format!("wrote {}\n{}", display_path(&here, &target), next(args.cicd)));
    Ok(Verdict::Fine)
}

/// A template for the project in `folder`, which goes into quotes.
fn workflow(template: &str, folder: &Utf8Path) -> String {
    let quoted = folder.as_str().replace('\'', "''");
    template.replace("'@PROJECT@'", &format!("'{quoted}'"))
}

fn next(cicd: Cicd) -> &'static str {
    match cicd {
        Cicd::Github => {
            "Set the repository variable HEADWATER_INSTALL to a command that puts `headwater` on the PATH.\n"
        }
        Cicd::Gitlab => {
            "Add `include: [{local: .gitlab/headwater.yml}]` to .gitlab-ci.yml, and set the variable HEADWATER_INSTALL to a\n\
             command that puts `headwater` on the PATH. For comments, HEADWATER_COMMENT_TOKEN needs the scope `api`.\n"
        }
    }
}
