//! The worker on its own: what the crate's tests and harnesses start. People never do: `headwater` is its own worker.

fn main() -> std::process::ExitCode {
    headwater_warehouse::worker_main()
}
