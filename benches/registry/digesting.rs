//! What one SHA-256 pass costs here, which no upload can go below.

use std::hint::black_box;

use agent_registry::oci::{Algorithm, Hasher};
use anyhow::Result;

use crate::process::cpu_seconds;

/// Bytes hashed at once, as they come from a socket.
const SLICE_BYTES: usize = 64 * 1024;

/// Processor seconds of hashing this often, as many times over as makes a tick of the clock unimportant.
pub(crate) fn seconds(bytes: &[u8], passes: u32) -> Result<f64> {
    let before = cpu_seconds(std::process::id())?;
    for _ in 0..passes {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        bytes.chunks(SLICE_BYTES).for_each(|slice| hasher.update(slice));
        black_box(hasher.finish());
    }
    Ok((cpu_seconds(std::process::id())? - before) / f64::from(passes))
}
