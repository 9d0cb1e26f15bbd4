//! Prints what the engine costs on this machine: `HEADWATER_CHDB=… cargo run --release -p headwater-warehouse --example
//! engine_figures`.

use std::time::{Duration, Instant};

use headwater_warehouse::{Allow, Limits, Pool, PoolConfig, Program, Request, worker_main};

fn main() -> std::process::ExitCode {
    if std::env::args().nth(1).as_deref() == Some("engine-worker") {
        return worker_main();
    }
    let Some(library) = std::env::var_os("HEADWATER_CHDB") else {
        eprintln!("set HEADWATER_CHDB to the engine's library");
        return std::process::ExitCode::from(2);
    };
    let config = |workers| {
        let mut config = PoolConfig::new(Program::current().expect("this program"), &library);
        config.workers = workers;
        config
    };
    let mut first = Vec::new();
    for _ in 0..11 {
        let start = Instant::now();
        let pool = Pool::new(config(1));
        pool.query(Request::new("SELECT 1")).expect("an answer");
        first.push(start.elapsed());
    }
    println!("spawn to first answer (file cache warm): {}", spread(&mut first[1..]));

    for workers in [1, 2] {
        let pool = Pool::new(config(workers));
        let mut restart = Vec::new();
        pool.query_batch(vec![Request::new("SELECT 1"); 200]);
        let mut single: Vec<_> =
            (0..500).map(|_| time(|| pool.query(Request::new("SELECT 1")).is_ok())).collect();
        println!("{workers} worker(s): SELECT 1, one by one: {}", spread(&mut single));
        let sql = "SELECT a, b, count() FROM t WHERE x = 1 GROUP BY a, b ORDER BY 1";
        for (what, text, allow) in [
            ("parse only", sql.to_owned(), Allow::Parse),
            ("EXPLAIN AST", format!("EXPLAIN AST {sql}"), Allow::Reads),
            ("EXPLAIN AST, broken", format!("EXPLAIN AST {sql} ("), Allow::Reads),
            ("SELECT 1", "SELECT 1".to_owned(), Allow::Reads),
        ] {
            let batch = vec![Request::new(text).allow(allow); 4000];
            let took = time(|| pool.query_batch(batch.clone()).len() == 4000);
            println!(
                "{workers} worker(s): {what}, batch of 4000: {:.3} ms each",
                took.as_secs_f64() * 1e3 / 4000.0
            );
        }
        for _ in 0..5 {
            let slow = Limits { time: Duration::from_secs(30), ..Limits::default() };
            let ticket = pool.submit(
                Request::new("SELECT sum(sipHash64(number)) FROM numbers(1000000000000)").limits(slow),
            );
            std::thread::sleep(Duration::from_millis(200));
            ticket.canceller().cancel();
            restart.push(time(|| {
                pool.query_batch(vec![Request::new("SELECT 1"); workers]).iter().all(Result::is_ok)
            }));
        }
        println!("{workers} worker(s): cancel to next answer: {}", spread(&mut restart));
    }
    std::process::ExitCode::SUCCESS
}

fn time(run: impl FnOnce() -> bool) -> Duration {
    let start = Instant::now();
    assert!(run(), "it works");
    start.elapsed()
}

fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |q: usize| times[(times.len() - 1) * q / 100].as_secs_f64() * 1e3;
    format!("p50 {:.2} ms, p95 {:.2} ms, worst {:.2} ms", at(50), at(95), at(100))
}
