//! Hosts as commands meet them: started on demand, found again, killed, ended. The real binary.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{Folder, headwater, json};

/// A user's folders on a machine of their own; the hosts in them end with the test.
pub(crate) struct Home {
    pub(crate) folder: Folder,
    pub(crate) library: Option<PathBuf>,
}

impl Home {
    pub(crate) fn new(name: &str) -> Self {
        let folder = Folder::new(&format!("host-{name}"));
        folder.write("project/datasources/hits.datasource", "SCHEMA >\n    `ts` DateTime\n");
        Self { folder, library: None }
    }

    fn project(&self) -> PathBuf {
        self.folder.0.join("project")
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = headwater();
        command
            .args(args)
            .current_dir(self.project())
            .env("XDG_DATA_HOME", self.folder.0.join("data"))
            .env("XDG_RUNTIME_DIR", self.folder.0.join("run"))
            .env("XDG_CONFIG_HOME", self.folder.0.join("config"))
            .env_remove("HEADWATER_TOKEN");
        if let Some(library) = &self.library {
            command.env("HEADWATER_CHDB", library);
        }
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the binary runs")
    }

    /// `status --format json`.
    pub(crate) fn status(&self, more: &[&str]) -> Value {
        let output = self.run(&[&["status", "--format", "json"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        json(&output)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = self.run(&["serve", "--stop"]);
    }
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Processes whose command line names this folder.
fn processes(folder: &Path) -> Vec<u32> {
    let wanted = folder.display().to_string();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|c| String::from_utf8_lossy(&c).contains(&wanted))
    })
    .collect()
}

fn kill(pid: u32) {
    let status = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
    assert!(status.is_ok_and(|s| s.success()), "kill {pid}");
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A host in the foreground.
pub(crate) struct Serving {
    child: Child,
    /// What it said when it was ready.
    said: String,
}

impl Serving {
    pub(crate) fn start(home: &Home, args: &[&str]) -> Self {
        Self::of(home.command(&[&["serve"], args].concat()))
    }

    /// The host that a command becomes.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs");
        let mut said = String::new();
        let stdout = child.stdout.as_mut().expect("piped");
        let mut byte = [0];
        while !said.contains("Ctrl-C") && stdout.read(&mut byte).is_ok_and(|n| n == 1) {
            said.push(char::from(byte[0]));
        }
        Self { child, said }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        let at = self.said.find("http://").unwrap_or_else(|| panic!("no address in {}", self.said));
        self.said[at..].split_whitespace().next().unwrap_or_default().to_owned()
    }

    pub(crate) fn token(&self) -> String {
        let path = self.said.split("token is in ").nth(1).and_then(|t| t.split(". Ctrl-C").next());
        std::fs::read_to_string(path.expect("it says where")).expect("a token")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn many_commands_at_once_start_one_host() {
    let home = Home::new("many");
    assert_eq!(home.status(&[])["running"], false);
    let pids: Vec<Value> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| home.status(&["--start"])["pid"].clone())).collect();
        threads.into_iter().map(|t| t.join().expect("a status")).collect()
    });
    assert!(pids.iter().all(|p| p.is_u64() && *p == pids[0]), "{pids:?}");
    let status = home.status(&[]);
    assert_eq!(
        (&status["running"], &status["pid"], &status["on_demand"]),
        (&true.into(), &pids[0], &true.into())
    );
    assert_eq!(processes(&home.folder.0).len(), 1);
    let output = home.run(&["serve", "--stop"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "The host has ended.\n");
    assert_eq!(processes(&home.folder.0), Vec::<u32>::new());
    assert_eq!(std::fs::read_dir(home.folder.0.join("run/headwater")).expect("there").count(), 0);
    assert_eq!(String::from_utf8_lossy(&home.run(&["serve", "--stop"]).stdout), "No host runs there.\n");
}

#[test]
fn after_a_kill_the_next_command_works() {
    let home = Home::new("killed");
    let mut last = Value::Null;
    for _ in 0..3 {
        let status = home.status(&["--start"]);
        assert_ne!(status["pid"], last);
        last = status["pid"].clone();
        kill(u32::try_from(last.as_u64().expect("a process")).expect("small"));
        wait_until("it is dead", || processes(&home.folder.0).is_empty());
        assert_eq!(home.status(&[])["running"], false);
    }
}

#[test]
fn a_folder_that_somebody_serves_is_found_and_not_taken() {
    let home = Home::new("served");
    let serving = Serving::start(&home, &[]);
    let status = home.status(&["--start"]);
    assert_eq!((&status["pid"], &status["on_demand"]), (&serving.child.id().into(), &false.into()));
    let second = home.run(&["serve"]);
    assert_eq!(second.status.code(), Some(3), "{second:?}");
    let said = stderr(&second);
    assert!(
        said.contains("owns the data folder") && said.contains(&serving.child.id().to_string()),
        "{said}"
    );
}

#[test]
fn a_host_elsewhere_is_asked_with_a_token() {
    let home = Home::new("remote");
    let serving = Serving::start(&home, &["--listen", "0"]);
    let (url, token) = (serving.url(), serving.token());
    home.folder.write("project/headwater.toml", format!("[hosts.prod]\nurl = \"{url}\"\n"));
    let ask = |host: &str, token: Option<&str>| {
        let mut command = home.command(&["status", "--format", "json", "--host", host]);
        if let Some(token) = token {
            command.env("HEADWATER_TOKEN", token);
        }
        command.output().expect("the binary runs")
    };
    for host in ["prod", url.as_str()] {
        let output = ask(host, Some(&token));
        assert_eq!(json(&output)["pid"], serving.child.id(), "{output:?}");
    }
    for (host, token, part) in [
        ("prod", None, "HEADWATER_TOKEN is not set"),
        ("prod", Some("wrong"), "not known here"),
        ("stage", Some("x"), "it names prod"),
        ("http://data.example.com", Some("x"), "clear text"),
        ("https://user:pass@data.example.com", Some("x"), "no credentials"),
        ("http://127.0.0.1:1", Some("x"), "cannot be reached"),
    ] {
        let output = ask(host, token);
        let said = stderr(&output);
        assert_eq!((output.status.code(), said.contains(part)), (Some(3), true), "{host}: {said}");
    }
}

#[test]
fn a_token_goes_to_no_other_place() {
    let home = Home::new("redirect");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let (here, there) = (listener.local_addr().expect("bound"), other.local_addr().expect("bound"));
    let answer = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut request = [0; 2048];
        let read = stream.read(&mut request).expect("a request");
        let reply = format!(
            "HTTP/1.1 302 Found\r\nLocation: http://{there}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(reply.as_bytes()).expect("it listens");
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let output = home
        .command(&["status", "--host", &format!("http://{here}")])
        .env("HEADWATER_TOKEN", "sesame")
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(stderr(&output).contains("is there a host at this address?"), "{output:?}");
    assert!(answer.join().expect("a request").to_ascii_lowercase().contains("bearer sesame"));
    other.set_nonblocking(true).expect("set");
    assert!(other.accept().is_err(), "the redirect was followed");
}

#[test]
fn without_an_engine_the_host_runs_and_says_what_to_do() {
    let home = Home::new("engineless");
    let status = home.status(&["--start"]);
    assert_eq!(status["engine"]["state"], "missing", "{status}");
    assert!(status["engine"]["message"].as_str().is_some_and(|m| m.contains("headwater setup")), "{status}");
    let text = String::from_utf8(home.run(&["status"]).stdout).expect("text");
    assert!(text.contains("run `headwater setup`") && text.contains("ends      after 15 min"), "{text}");
}

/// The whole way: command, door, gate, engine child, and back.
#[test]
fn a_statement_runs_on_the_engine_behind_the_gate() {
    let home = Home::new("sql");
    let said = stderr(&home.run(&["sql", "--host", "local", "SELECT 1"]));
    assert!(said.contains("run `headwater setup`"), "{said}");
    // Set up while the host runs, it is found.
    let package = headwater_warehouse::setup::Package::here().expect("an engine for this platform");
    let installed = package.library_below(&home.folder.0.join("data/headwater/engine"));
    std::fs::create_dir_all(installed.parent().expect("a folder")).expect("folders");
    std::os::unix::fs::symlink(crate::engine::library(), installed).expect("a link");
    let text = String::from_utf8(
        home.run(&["sql", "--host", "local", "SELECT number AS n, 'a' || n::String AS t FROM numbers(2)"])
            .stdout,
    );
    let text = text.expect("text");
    assert!(text.starts_with("n  t\n0  a0\n1  a1\n\n2 rows in "), "{text}");
    let own = home.run(&["sql", "--host", "local", "SELECT 7 AS x FORMAT JSONEachRow"]);
    assert_eq!(String::from_utf8_lossy(&own.stdout), "{\"x\":7}\n");
    let answer = json(&home.run(&["sql", "--host", "local", "--format", "json", "SELECT 7 AS x"]));
    assert_eq!((&answer["meta"][0]["name"], &answer["rows"]), (&"x".into(), &1.into()), "{answer}");
    for (sql, part) in [
        ("SELECT file('/etc/passwd')", "file"),
        ("SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')", "url"),
        ("SELECT * FROM system.processes", "system"),
        ("DROP TABLE x", "no SELECT"),
        ("SELECT 1; SELECT 2", "one"),
        ("SELECT no_such_function(1)", "no_such_function"),
        ("SELECT toDate('nonsense')", "Cannot parse"),
        ("SELEC 1", ""),
    ] {
        let output = home.run(&["sql", "--host", "local", sql]);
        let said = stderr(&output);
        assert_eq!(
            (output.status.code(), said.contains(part) && said.len() > 12),
            (Some(3), true),
            "{sql}: {said}"
        );
    }
    // The engine dies, the door does not, and the next statement works.
    let status = home.status(&[]);
    let engine = u32::try_from(status["engine_pid"].as_u64().expect("a process")).expect("small");
    assert_eq!(status["engine"]["state"], "running");
    kill(engine);
    assert_eq!(home.run(&["sql", "--host", "local", "SELECT 1"]).status.code(), Some(0));
    let after = home.status(&[]);
    assert_eq!(after["pid"], status["pid"]);
    assert_ne!(after["engine_pid"], status["engine_pid"]);
    // The door dies, and its engine with it.
    let engine = u32::try_from(after["engine_pid"].as_u64().expect("a process")).expect("small");
    kill(u32::try_from(after["pid"].as_u64().expect("a process")).expect("small"));
    wait_until("the engine is gone", || !Path::new(&format!("/proc/{engine}/exe")).exists());
    assert_eq!(home.run(&["sql", "--host", "local", "SELECT 1"]).status.code(), Some(0));
}

/// An update replaces the program under a host that runs.
#[test]
fn a_host_starts_engines_of_its_own_version() {
    let mut home = Home::new("updated");
    home.library = Some(crate::engine::library());
    let copy = home.folder.0.join("headwater");
    std::fs::copy(env!("CARGO_BIN_EXE_headwater"), &copy).expect("copied");
    let mut command = home.command(&[]);
    let environment: Vec<_> =
        command.get_envs().map(|(n, v)| (n.to_owned(), v.map(ToOwned::to_owned))).collect();
    let mut updated = Command::new(&copy);
    updated.args(["sql", "--host", "local", "SELECT 1"]).current_dir(home.project());
    for (name, value) in environment {
        match value {
            Some(value) => updated.env(name, value),
            None => updated.env_remove(name),
        };
    }
    assert_eq!(updated.output().expect("it runs").status.code(), Some(0));
    std::fs::remove_file(&copy).expect("removed");
    std::fs::write(&copy, "another program").expect("written");
    let status = home.status(&[]);
    kill(u32::try_from(status["engine_pid"].as_u64().expect("a process")).expect("small"));
    let output = command.args(["sql", "--host", "local", "SELECT 1"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(home.status(&[])["pid"], status["pid"]);
}

#[test]
fn wrong_uses_are_said() {
    let home = Home::new("wrong");
    for (args, code, part) in [
        (&["serve", "--listen", "x"][..], 3, "write a port"),
        (&["serve", "--allow-origin", "*"], 3, "such as https://dash.example.com"),
        (&["serve", "--clickhouse", "http://u:p@h:8123"], 3, "no credentials"),
        (&["serve", "--clickhouse", "nonsense"], 3, "nonsense"),
        (&["serve", "--stop", "--listen", "1"], 2, "cannot be used with"),
        (&["status", "--host", "x", "--data", "y"], 2, "cannot be used with"),
        (&["status", "--project", "/"], 3, "no data project"),
        (&["serve", "--data", "/proc/headwater"], 3, "cannot be made"),
    ] {
        let output = home.run(args);
        let said = stderr(&output);
        assert_eq!((output.status.code(), said.contains(part)), (Some(code), true), "{args:?}: {said}");
    }
    // A port that is taken.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let output = home.run(&["serve", "--listen", &port]);
    assert!(stderr(&output).contains("choose another address"), "{output:?}");
}

#[test]
fn signals_end_a_host_well() {
    let home = Home::new("signals");
    for signal in ["TERM", "INT"] {
        let mut serving = Serving::start(&home, &["--listen", "0"]);
        let address = serving.url().replace("http://", "");
        // One that is connected and says nothing does not hold it up.
        let idle = TcpStream::connect(&address).expect("it listens");
        let status =
            Command::new("kill").args([&format!("-{signal}"), &serving.child.id().to_string()]).status();
        assert!(status.is_ok_and(|s| s.success()));
        let started = Instant::now();
        assert_eq!(serving.child.wait().expect("it ends").code(), Some(0), "{signal}");
        assert!(started.elapsed() < Duration::from_secs(15), "{signal}");
        assert_eq!(std::fs::read_dir(home.folder.0.join("run/headwater")).expect("there").count(), 0);
        drop(idle);
    }
}
