//! What we write in other people's formats, held against their own rules: workflows and SARIF against their schemas, Mermaid
//! against its parser; and the scripts of the workflows are run, with a host's commands replaced.
//!
//! The schemas are those that the registries' packages carry, with their licences beside them: nothing of them is in this
//! repository but their checksums.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::fetch::{self, Node, Unavailable, cache_dir, unavailable};
use crate::{build_server, root};

/// The validator and everything that it needs, at one version each.
const VALIDATOR: &[&str] = &[
    "check-jsonschema==0.39.0",
    "attrs==26.1.0",
    "certifi==2026.10.19.post1",
    "charset-normalizer==3.5.3",
    "click==8.5.1",
    "idna==3.20",
    "jsonschema==4.26.0",
    "jsonschema-specifications==2025.9.1",
    "referencing==0.37.0",
    "regress==2026.9.1",
    "requests==2.34.2",
    "rpds-py==2026.9.1",
    "ruamel.yaml==0.19.1",
    "typing-extensions==4.16.0",
    "urllib3==2.8.0",
];

/// The package that carries the schema of SARIF, and the diagrams' own parser with the document that it wants around it.
const PACKAGES: &[&str] = &["@microsoft/jest-sarif@1.0.0-beta.0", "mermaid@11.17.2", "jsdom@26.1.0"];

/// SHA-256 of what we validate against: another release of a package is another schema.
const GITHUB: (&str, &str) = (
    "check_jsonschema/builtin_schemas/vendor/github-workflows.json",
    "d10c9f4656e1bd5bc6727e9b35080e017dc167154726fca93da33c7a6bd1c4f3",
);
const GITLAB: (&str, &str) = (
    "check_jsonschema/builtin_schemas/vendor/gitlab-ci.json",
    "1c6eeb7d3a34c39996afbfe1ade220480eb05bbeae674e86d3c745dfeeded7fd",
);
const SARIF: (&str, &str) = (
    "node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json",
    "2d99159ae54a3eea97f81781cff48780548657c35949f4b7f25e99a2ba4de4f8",
);

/// Validates everything; an error says what is not valid.
pub(crate) fn gate() -> Result<()> {
    let tools = Tools::get()?;
    let server = build_server(false)?;
    let dir = tempfile::tempdir()?;
    let repository = repository(dir.path())?;
    for (host, path, schema, transform) in [
        ("github", ".github/workflows/headwater.yml", GITHUB, None),
        ("gitlab", ".gitlab/headwater.yml", GITLAB, Some("gitlab-ci")),
    ] {
        let args = ["init", "data", "--cicd", host];
        let written = Command::new(&server).args(args).current_dir(&repository).output()?;
        ensure!(written.status.success(), "init failed: {}", String::from_utf8_lossy(&written.stderr));
        let file = repository.join(path);
        tools.validate(&tools.python_file(schema)?, &file, transform)?;
        let text = std::fs::read_to_string(&file)?;
        let wrong = dir.path().join(format!("{host}.yml"));
        std::fs::write(&wrong, text.replace("runs-on:", "runs_on:").replace("script:", "skript:"))?;
        ensure!(
            tools.validate(&tools.python_file(schema)?, &wrong, transform).is_err(),
            "the schema of {host} takes anything"
        );
    }
    tools.sarif(&server, dir.path())?;
    scripts(&tools, &server, &repository, dir.path())
}

struct Tools {
    python: PathBuf,
    modules: PathBuf,
    node: Node,
    packages: PathBuf,
}

impl Tools {
    fn get() -> Result<Self> {
        let Some(python) = fetch::on_path(&["python3"]) else {
            return unavailable("python3 is not installed");
        };
        let modules = cache_dir()?.join("check-jsonschema");
        fetch::once(&modules, &VALIDATOR.join(" "), |fresh| {
            let pip = ["-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check"];
            let mut command = Command::new(&python);
            command.args(pip).args(["--root-user-action=ignore", "--target"]).arg(fresh).args(VALIDATOR);
            fetch::run(&mut command)
                .map_err(|e| Unavailable(format!("pip cannot fetch the validator: {e:#}")))?;
            Ok(())
        })?;
        let (node, packages) = (Node::get()?, cache_dir()?.join("foreign-formats"));
        node.packages(&packages, PACKAGES)?;
        Ok(Self { python, modules, node, packages })
    }

    fn python_file(&self, (path, sum): (&str, &str)) -> Result<PathBuf> {
        checked(self.modules.join(path), sum)
    }

    fn python(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.env("PYTHONPATH", &self.modules);
        command
    }

    /// An error with what the validator says.
    fn validate(&self, schema: &Path, file: &Path, transform: Option<&str>) -> Result<()> {
        let mut command = self.python();
        // SARIF's schema has a pattern with a bracket too many, which only the older rules of expressions read.
        command.args(["-m", "check_jsonschema", "--regex-variant", "nonunicode", "--schemafile"]).arg(schema);
        if let Some(transform) = transform {
            command.args(["--data-transform", transform]);
        }
        fetch::run(command.arg(file)).map(drop)
    }

    /// A YAML file as JSON.
    fn yaml(&self, file: &Path) -> Result<Value> {
        const READ: &str = "import sys, json, ruamel.yaml; \
                            print(json.dumps(ruamel.yaml.YAML(typ='safe', pure=True).load(open(sys.argv[1]))))";
        Ok(serde_json::from_str(&fetch::run(self.python().args(["-c", READ]).arg(file))?)?)
    }

    /// What `check` writes of a project with every fault, and of one with none.
    fn sarif(&self, server: &Path, dir: &Path) -> Result<()> {
        let schema = checked(self.packages.join(SARIF.0), SARIF.1)?;
        for project in ["broken", "broken-classic", "web-analytics"] {
            let folder = root().join("tests/projects").join(project);
            let output = Command::new(server)
                .args(["check", "--format", "sarif", "--offline"])
                .arg(&folder)
                .stdin(Stdio::null())
                .output()?;
            let file = dir.join(format!("{project}.sarif"));
            std::fs::write(&file, &output.stdout)?;
            self.validate(&schema, &file, None).with_context(|| format!("SARIF of {project}"))?;
            let mut value: Value = serde_json::from_slice(&output.stdout)?;
            value["runs"][0]["results"] = Value::from("none");
            std::fs::write(&file, value.to_string())?;
            ensure!(self.validate(&schema, &file, None).is_err(), "the schema of SARIF takes anything");
        }
        Ok(())
    }

    /// Parses every diagram of a Markdown text; how many there are.
    fn mermaid(&self, dir: &Path, markdown: &str) -> Result<usize> {
        let (script, file) = (dir.join("mermaid.mjs"), dir.join("plan.md"));
        std::fs::write(&script, MERMAID)?;
        std::fs::write(&file, markdown)?;
        // Modules are found from the folder of the script.
        let _ = std::fs::remove_file(dir.join("node_modules"));
        #[cfg(unix)]
        std::os::unix::fs::symlink(self.packages.join("node_modules"), dir.join("node_modules"))?;
        let said = fetch::run(self.node.node().arg(&script).arg(&file))?;
        said.trim().parse().with_context(|| format!("the parser says {said}"))
    }
}

const MERMAID: &str = "\
import { readFileSync } from 'node:fs';
import { JSDOM } from 'jsdom';
const page = new JSDOM('<!doctype html>');
globalThis.window = page.window;
globalThis.document = page.window.document;
const { default: mermaid } = await import('mermaid');
let count = 0;
for (const [, text] of readFileSync(process.argv[2], 'utf8').matchAll(/```mermaid\\n([\\s\\S]*?)```/g)) {
  await mermaid.parse(text);
  count++;
}
console.log(count);
";

fn checked(file: PathBuf, sum: &str) -> Result<PathBuf> {
    let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
    let found: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    ensure!(found == sum, "{} has the checksum {found}, not {sum}", file.display());
    Ok(file)
}

const WAS: &str = "SCHEMA >\n    `ts`      DateTime,\n    `visitor` String,\n    `amount`  UInt32\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n";
const REPORT: &str = "NODE rows\nSQL >\n    SELECT visitor, sum(amount) AS total FROM events GROUP BY visitor\n\nTYPE endpoint\n";

/// A repository with a project in `data`: one commit, and another that takes a column away which an endpoint reads.
fn repository(dir: &Path) -> Result<PathBuf> {
    let at = dir.join("repository");
    std::fs::create_dir_all(at.join("data/datasources"))?;
    std::fs::create_dir_all(at.join("data/endpoints"))?;
    std::fs::write(at.join("data/datasources/events.datasource"), WAS)?;
    std::fs::write(at.join("data/endpoints/report.pipe"), REPORT)?;
    let git = |args: &[&str]| {
        let name = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"];
        fetch::run(Command::new("git").args(name).args(args).current_dir(&at))
    };
    git(&["init", "-q"])?;
    git(&["add", "."])?;
    git(&["commit", "-q", "-m", "before"])?;
    std::fs::write(
        at.join("data/datasources/events.datasource"),
        WAS.replace(",\n    `amount`  UInt32", ""),
    )?;
    git(&["commit", "-q", "-a", "-m", "after"])?;
    Ok(at)
}

/// Runs what the workflows say, as their hosts would: a commit that is refused fails, and its plan is commented all the same.
fn scripts(tools: &Tools, server: &Path, repository: &Path, dir: &Path) -> Result<()> {
    let bin = dir.join("bin");
    std::fs::create_dir_all(&bin)?;
    let shim = |name: &str, script: String| -> Result<()> {
        let path = bin.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n"))?;
        fetch::run(Command::new("chmod").arg("+x").arg(path)).map(drop)
    };
    // The engine is there already: nothing is downloaded.
    shim("headwater", format!("[ \"$1\" = setup ] && exit 0; exec '{}' \"$@\"", server.display()))?;
    let engine = crate::engine::library()?;
    // What would comment keeps what it was given.
    shim("gh", format!("echo \"$@\" > '{0}/gh'; cp plan.md '{0}/comment.md'", dir.display()))?;
    shim("curl", format!("echo \"$@\" > '{0}/curl'; cp plan.md '{0}/comment.md'", dir.display()))?;
    let base = fetch::run(Command::new("git").args(["rev-parse", "HEAD~1"]).current_dir(repository))?;
    let path = std::env::join_paths(
        std::iter::once(bin).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    )?;
    let bash = |script: &str, variables: &[(&str, &str)]| -> Result<i32> {
        let output = Command::new("bash")
            .args(["-e", "-o", "pipefail", "-c", script])
            .env("PATH", &path)
            .env("PROJECT", "data")
            .env(crate::engine::VARIABLE, &engine)
            .env("GITHUB_OUTPUT", dir.join("output"))
            .env("GITHUB_STEP_SUMMARY", dir.join("summary"))
            .envs(variables.iter().copied())
            .current_dir(repository)
            .stdin(Stdio::null())
            .output()?;
        output.status.code().context("the script was ended")
    };
    let commented = |who: &str| -> Result<()> {
        let text = std::fs::read_to_string(dir.join("comment.md"))
            .with_context(|| format!("{who} comments nothing"))?;
        ensure!(text.contains("Cannot be deployed") && text.contains("`report`"), "{who} comments {text}");
        ensure!(tools.mermaid(dir, &text)? == 1, "{who} comments no diagram");
        std::fs::remove_file(dir.join("comment.md"))?;
        Ok(())
    };

    let workflow = tools.yaml(&repository.join(".github/workflows/headwater.yml"))?;
    let mut codes = Vec::new();
    for job in ["check", "test", "plan"] {
        for step in workflow["jobs"][job]["steps"].as_array().context("a job without steps")? {
            let (Some(script), Some(name)) = (step["run"].as_str(), step["name"].as_str()) else { continue };
            // The plan's code arrives over the step's output.
            let code = std::fs::read_to_string(dir.join("output")).unwrap_or_default();
            let code = code.trim().strip_prefix("code=").unwrap_or("0").to_owned();
            let variables = [("BASE", base.trim()), ("NUMBER", "7"), ("CODE", code.as_str())];
            codes.push((name.to_owned(), bash(script, &variables)?));
        }
    }
    let of = |name: &str| codes.iter().filter(|(n, _)| n == name).map(|(_, code)| *code).max();
    for (step, wanted) in [
        ("Install headwater", 0),
        ("Check", 1),
        ("Layout", 0),
        ("Report to code scanning", 0),
        ("Test", 0),
        ("Plan", 0),
        ("Comment the plan", 0),
        ("Refuse what cannot be deployed", 1),
    ] {
        ensure!(of(step) == Some(wanted), "`{step}` ends with {:?}, not {wanted}", of(step));
    }
    commented("GitHub's workflow")?;
    ensure!(
        std::fs::read_to_string(dir.join("summary"))?.contains("Headwater plan"),
        "the summary has no plan"
    );

    let pipeline = tools.yaml(&repository.join(".gitlab/headwater.yml"))?;
    for (job, wanted) in [("headwater check", 1), ("headwater test", 0), ("headwater plan", 1)] {
        let lines = pipeline[job]["script"].as_array().context("a job without a script")?;
        let script: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
        let variables = [("CI_MERGE_REQUEST_DIFF_BASE_SHA", base.trim()), ("HEADWATER_COMMENT_TOKEN", "t")];
        let code = bash(&script.join("\n"), &variables)?;
        ensure!(code == wanted, "`{job}` ends with {code}, not {wanted}");
    }
    commented("GitLab's pipeline")
}
