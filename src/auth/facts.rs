//! What a decision is made from: loaded by the registry, judged by [`super::decide`].

/// Which policy is in force, and at which generation of the grants it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    policy: Policy,
    generation: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    Open,
    Closed,
}

impl Facts {
    /// The registry runs without accounts: everyone may do everything.
    pub const fn open() -> Self {
        Self { policy: Policy::Open, generation: 0 }
    }

    /// Nothing is known that would allow anything: everyone is denied.
    pub const fn closed() -> Self {
        Self { policy: Policy::Closed, generation: 0 }
    }

    /// The generation of the grants these facts were read at; a changing transaction compares it.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) const fn policy(&self) -> Policy {
        self.policy
    }
}
