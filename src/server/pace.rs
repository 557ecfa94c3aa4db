//! How long the head of a request may take on a connection that has served one before: the HTTP library watches only
//! the first. And whether the other side has left.

use std::cell::RefCell;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// The phase a connection is in, shared with the requests it brings.
#[derive(Clone, Debug)]
pub(super) struct Pace(Rc<RefCell<Watch>>);

#[derive(Debug)]
struct Watch {
    limit: Duration,
    phase: Phase,
    /// The other side will send nothing more.
    is_left: bool,
    /// Set for a head that may be whole since then: to set it anew for each takes longer than to look once too often.
    timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug)]
enum Phase {
    /// A request is being answered, or the first is awaited.
    Request,
    /// Nothing has come since the last answer.
    Idle,
    /// Some of a head has come; it must be whole then.
    Head(Instant),
}

impl Pace {
    /// `limit` is how long one head may take.
    pub(super) fn new(limit: Duration) -> Self {
        Self(Rc::new(RefCell::new(Watch { limit, phase: Phase::Request, is_left: false, timer: None })))
    }

    /// A head is whole.
    pub(super) fn begin(&self) {
        self.0.borrow_mut().phase = Phase::Request;
    }

    /// Its answer is on the way.
    pub(super) fn end(&self) {
        self.0.borrow_mut().phase = Phase::Idle;
    }

    /// Bytes have come.
    pub(super) fn received(&self) {
        let mut watch = self.0.borrow_mut();
        if matches!(watch.phase, Phase::Idle) {
            watch.phase = Phase::Head(Instant::now() + watch.limit);
        }
    }

    /// No more bytes will come.
    pub(super) fn left(&self) {
        self.0.borrow_mut().is_left = true;
    }

    /// Whether no more bytes will come. Whoever answers is asked for more of it right after.
    pub(super) fn is_left(&self) -> bool {
        self.0.borrow().is_left
    }

    /// Bytes have gone. A head that came early, while an answer was still on its way, is not late.
    pub(super) fn sent(&self) {
        let mut watch = self.0.borrow_mut();
        if matches!(watch.phase, Phase::Head(_)) {
            watch.phase = Phase::Head(Instant::now() + watch.limit);
        }
    }

    /// An error once a head is late; whoever reads is woken then.
    pub(super) fn check(&self, context: &mut Context<'_>) -> io::Result<()> {
        let mut watch = self.0.borrow_mut();
        let Phase::Head(due) = watch.phase else { return Ok(()) };
        let timer = watch.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        while timer.as_mut().poll(context).is_ready() {
            if Instant::now() >= due {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the head of a request did not end"));
            }
            timer.as_mut().reset(due);
        }
        Ok(())
    }
}
