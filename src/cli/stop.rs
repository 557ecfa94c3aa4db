//! Being asked to stop: Ctrl-C, or SIGTERM where there is one. Temporary files go before the process does.

use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;

use super::context::Context;
use super::error::Error;
use super::{Command, run};

/// How long packing may take to end after a signal, and unpacking once more. What they leave then stays behind.
const GRACE: Duration = Duration::from_secs(5);

/// Runs a verb to its end or to the signal, whichever comes first.
pub(super) fn run_until_stopped(runtime: Runtime, context: Context, command: Command) -> Result<(), Error> {
    if matches!(command, Command::Registry(_) | Command::Quickstart(_)) {
        // They end in their own way, after the requests that are running.
        return runtime.block_on(run(&context, command));
    }
    // What goes on until somebody stops it has done what it was asked for.
    let is_endless = matches!(command, Command::Watch(_));
    let ended = runtime.block_on(async {
        let stop = stop_signal().map_err(Error::Runtime)?;
        let (cancel, cancelled) = oneshot::channel::<()>();
        // On a thread of its own: packing does not pause, and the signal must be heard all the same.
        let mut verb = tokio::task::spawn_blocking(move || {
            Handle::current().block_on(async {
                tokio::select! {
                    // First: no step of the verb may begin while the runtime closes.
                    biased;
                    _ = cancelled => Err(Error::Interrupted),
                    ended = run(&context, command) => ended,
                }
            })
        });
        tokio::select! {
            ended = &mut verb => ended.unwrap_or_else(|error| match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => Err(Error::Runtime(error.into())),
            }),
            () = stop => {
                drop(cancel);
                // Dropping its futures removes their temporary files.
                let _ = tokio::time::timeout(GRACE, verb).await;
                Err(Error::Interrupted)
            }
        }
    });
    // What still writes on threads of its own removes its files when it ends.
    runtime.shutdown_timeout(GRACE);
    if is_endless && matches!(ended, Err(Error::Interrupted)) { Ok(()) } else { ended }
}

/// Ends when this process is asked to stop.
pub(super) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // An error means that the signal cannot be waited for; stopping is the safe answer.
        let _ = tokio::signal::ctrl_c().await;
    })
}
