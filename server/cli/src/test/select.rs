//! Tests by name.

use camino::Utf8Path;

use super::Suite;
use crate::CannotRun;

impl Suite {
    /// Keeps the tests that are named: by their file (`tests/top.yaml`, `top`), or by file and test (`top:newest`).
    ///
    /// # Errors
    /// A name that means no test.
    pub(super) fn select(&mut self, names: &[String]) -> Result<(), CannotRun> {
        if names.is_empty() {
            return Ok(());
        }
        for name in names {
            let known = self.cases.iter().any(|c| is_meant(name, &c.path, &c.subject, Some(&c.name)))
                || self.faults.iter().any(|f| is_meant(name, &f.path, "", f.name.as_deref()));
            if !known {
                let files: Vec<&str> = self.texts.iter().filter_map(|(path, _)| path.file_stem()).collect();
                let list =
                    if files.is_empty() { "there are none in tests/".to_owned() } else { files.join(", ") };
                return Err(CannotRun(format!("no test is called `{name}`; test files: {list}")));
            }
        }
        let any = |path: &Utf8Path, subject: &str, test: Option<&str>| {
            names.iter().any(|name| is_meant(name, path, subject, test))
        };
        self.cases.retain(|c| any(&c.path, &c.subject, Some(&c.name)));
        self.faults.retain(|f| any(&f.path, "", f.name.as_deref()));
        Ok(())
    }
}

fn is_meant(name: &str, path: &Utf8Path, subject: &str, test: Option<&str>) -> bool {
    let is_file = |name: &str| {
        let given = Utf8Path::new(name);
        let is_path = path == given || path.ends_with(given) && given.extension().is_some();
        is_path || path.file_stem() == Some(name) || subject == name
    };
    if is_file(name) {
        return true;
    }
    match name.split_once(':') {
        Some((file, wanted)) => is_file(file) && test == Some(wanted),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_meant;

    #[test]
    fn names_mean_files_pipes_and_tests() {
        let meant = |name: &str| is_meant(name, "tests/api/top.yaml".into(), "top_pages", Some("newest"));
        for name in [
            "top",
            "top.yaml",
            "tests/api/top.yaml",
            "api/top.yaml",
            "top_pages",
            "top:newest",
            "top_pages:newest",
        ] {
            assert!(meant(name), "{name}");
        }
        for name in ["to", "newest", "top:oldest", "op.yaml", ""] {
            assert!(!meant(name), "{name}");
        }
    }
}
