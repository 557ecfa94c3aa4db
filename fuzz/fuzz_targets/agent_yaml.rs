//! Any bytes are an agent or a list of problems with places.
#![no_main]

use agent_registry::package::{AgentYaml, FrontMatter};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match AgentYaml::parse(bytes) {
        Ok((agent, _)) => assert!(!agent.name.is_empty()),
        Err(problems) => assert!(!problems.all().is_empty()),
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = FrontMatter::parse(text);
    }
});
