//! The npm registry that this user has configured. No address is written down here.
//!
//! Asked in npm's own order, but for the configuration of a project, which has no say: the environment, the user's
//! `.npmrc`, and what the `npm` command says from a folder that is no project.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::package::Package;

/// An npm registry and how to be let in.
#[derive(Clone, PartialEq, Eq)]
pub struct Registry {
    /// Its address, without a slash at the end.
    url: String,
    /// What the user's `.npmrc` holds for it.
    token: Option<String>,
}

impl std::fmt::Debug for Registry {
    /// Never shows a token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Registry {
    /// At an address, with nothing to show at the door.
    pub fn at(url: &str) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), token: None }
    }

    /// The configured one for `package`'s scope, if there is any.
    pub fn configured(package: &Package) -> Option<Self> {
        Self::of(package, |name| std::env::var_os(name), ask_npm)
    }

    fn of(
        package: &Package,
        variable: impl Fn(&str) -> Option<OsString>,
        ask_npm: impl FnOnce(&Path) -> Option<String>,
    ) -> Option<Self> {
        let text = |name: &str| variable(name).and_then(|v| v.into_string().ok()).filter(|v| !v.is_empty());
        let home = text("HOME").or_else(|| text("USERPROFILE")).map(PathBuf::from);
        let user_config = text("npm_config_userconfig")
            .or_else(|| text("NPM_CONFIG_USERCONFIG"))
            .map(PathBuf::from)
            .or_else(|| home.as_ref().map(|h| h.join(".npmrc")));
        let npmrc = user_config.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        let npmrc = Npmrc::parse(&npmrc, text);
        let url = npmrc
            .get(&format!("{}:registry", package.scope))
            .or_else(|| text("npm_config_registry"))
            .or_else(|| text("NPM_CONFIG_REGISTRY"))
            .or_else(|| npmrc.get("registry"))
            .or_else(|| ask_npm(home.as_deref().unwrap_or(Path::new("/"))))
            .filter(|url| url.starts_with("https://") || url.starts_with("http://"))?;
        let mut registry = Self::at(&url);
        registry.token = npmrc.token_for(&registry.url);
        Some(registry)
    }

    /// Where `package`'s archive lies.
    pub(super) fn archive_url(&self, package: &Package) -> String {
        format!("{}/{}/{}/-/{}", self.url, package.scope, package.name, package.archive_name())
    }

    pub(super) fn authorization(&self) -> Option<String> {
        self.token.as_ref().map(|t| format!("Bearer {t}"))
    }
}

/// `npm config get registry`, asked in the home folder: in a project it would read the project's file.
fn ask_npm(folder: &Path) -> Option<String> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut command = Command::new(program);
    command
        .args(["config", "get", "registry"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let output = command.output().ok().filter(|o| o.status.success())?;
    let url = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (url != "undefined" && !url.is_empty()).then_some(url)
}

/// `key = value` lines.
struct Npmrc(Vec<(String, String)>);

impl Npmrc {
    fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> Self {
        let lines = text.lines().map(str::trim).filter(|l| !l.starts_with(['#', ';']));
        Self(
            lines
                .filter_map(|line| line.split_once('='))
                .map(|(key, value)| {
                    (key.trim().to_owned(), expand(value.trim().trim_matches('"'), &variable))
                })
                .collect(),
        )
    }

    /// The last one counts, as in npm.
    fn get(&self, key: &str) -> Option<String> {
        self.0.iter().rev().find(|(k, v)| k == key && !v.is_empty()).map(|(_, v)| v.clone())
    }

    /// The token for the longest part of `url` that has one.
    fn token_for(&self, url: &str) -> Option<String> {
        let (_, mut place) = url.split_once(':')?;
        loop {
            if let Some(token) = self.get(&format!("{}/:_authToken", place.trim_end_matches('/'))) {
                return Some(token);
            }
            place = place.trim_end_matches('/').rsplit_once('/')?.0;
            if place.trim_matches('/').is_empty() {
                return None;
            }
        }
    }
}

/// `${NAME}` of the environment; what is not set stays as it is, as in npm.
fn expand(value: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once("${") {
        out += before;
        match behind.split_once('}') {
            Some((name, after)) => {
                match variable(name) {
                    Some(value) => out += &value,
                    None => out += &format!("${{{name}}}"),
                }
                rest = after;
            }
            None => {
                out += "${";
                rest = behind;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> &'static Package {
        Package::of("linux", "x86_64").expect("a package")
    }

    fn of(npmrc: &str, vars: &[(&str, &str)], npm: Option<&str>) -> Option<Registry> {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join(".npmrc"), npmrc).expect("a file");
        let variable = |name: &str| {
            if name == "HOME" {
                return Some(home.path().as_os_str().to_owned());
            }
            vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v))
        };
        Registry::of(package(), variable, |_| npm.map(str::to_owned))
    }

    fn url(npmrc: &str, vars: &[(&str, &str)], npm: Option<&str>) -> Option<String> {
        of(npmrc, vars, npm).map(|r| r.url)
    }

    #[test]
    fn npms_order_is_kept() {
        let scoped = "registry=https://a.test/\n@chdb:registry = https://scope.test/npm/\n";
        let vars = [("npm_config_registry", "https://env.test/")];
        let some = |url: &str| Some(url.to_owned());
        assert_eq!(url(scoped, &vars, None), some("https://scope.test/npm"));
        assert_eq!(url("registry=https://a.test/", &vars, None), some("https://env.test"));
        assert_eq!(
            url("; x\nregistry=https://a.test/", &[], Some("https://npm.test/")),
            some("https://a.test")
        );
        assert_eq!(url("", &[("NPM_CONFIG_REGISTRY", "https://up.test")], None), some("https://up.test"));
        assert_eq!(url("", &[], Some("https://npm.test/")), some("https://npm.test"));
        assert_eq!(url("", &[], None), None);
        assert_eq!(url("", &[], Some("file:///etc")), None);
    }

    #[test]
    fn tokens_belong_to_their_registry_and_stay_secret() {
        let npmrc = "registry=https://a.test/npm/\n//a.test/:_authToken=${T}\n//b.test/:_authToken=other\n";
        let registry = of(npmrc, &[("T", "s3cret")], None).expect("a registry");
        assert_eq!(registry.authorization(), Some("Bearer s3cret".to_owned()));
        assert!(!format!("{registry:?}").contains("s3cret"));
        assert_eq!(
            of("registry=https://c.test/\n//b.test/:_authToken=x", &[], None).and_then(|r| r.authorization()),
            None
        );
    }

    #[test]
    fn archives_lie_where_registries_put_them() {
        assert_eq!(
            Registry::at("https://a.test/npm/").archive_url(package()),
            "https://a.test/npm/@chdb/lib-linux-x64-gnu/-/lib-linux-x64-gnu-26.7.3-stable.1.tgz"
        );
    }

    #[test]
    fn variables_are_expanded_and_unknown_ones_stay() {
        let variable = |name: &str| (name == "A").then(|| "1".to_owned());
        assert_eq!(expand("x${A}y${B}z${", variable), "x1y${B}z${");
    }
}
