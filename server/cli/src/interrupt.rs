//! Ctrl-C: the first one asks what runs to stop, the second one ends the program.

/// Calls `stop` at the first interrupt. Where the system gives no thread or no handler, an interrupt ends the program at once.
pub(crate) fn on_interrupt(stop: impl FnOnce() + Send + 'static) {
    let wait = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop();
            }
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(3);
            }
        });
    };
    let _ = std::thread::Builder::new().name("interrupts".into()).spawn(wait);
}
