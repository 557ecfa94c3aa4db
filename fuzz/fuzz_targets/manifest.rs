//! Any bytes are a manifest or an error, and a manifest keeps its bytes.
#![no_main]

use agent_registry::oci::{Algorithm, Digest, Manifest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = Manifest::parse(bytes.to_vec().into(), None, Algorithm::Sha256) {
        assert_eq!(manifest.bytes(), bytes);
        assert_eq!(manifest.digest(), Digest::sha256(bytes));
        let _ = (manifest.edges(), manifest.descriptor());
    }
});
