//! What is pushed: packages whose words are far from one another, so that it is plain which query means which.

use agent_registry::package::{Artifact, Overrides, Source};

/// How many different contents there are.
pub(crate) const CONTENTS: u8 = 24;

/// What a package says of itself, as the model knows it.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) description: &'static str,
    pub(crate) readme: &'static str,
    pub(crate) capabilities: Vec<&'static str>,
    pub(crate) tags: Vec<&'static str>,
    pub(crate) author: &'static str,
    pub(crate) model: (&'static str, &'static str),
    pub(crate) runtime: &'static str,
    pub(crate) license: &'static str,
}

/// Of a list, those whose bits are set.
fn chosen(words: &[&'static str], bits: u8) -> Vec<&'static str> {
    words.iter().enumerate().filter(|(index, _)| bits & (1 << index) != 0).map(|(_, word)| *word).collect()
}

impl Content {
    /// The content of a number, always the same.
    pub(crate) fn of(number: u8) -> Self {
        let pick = |words: &[&'static str], stride: u8| words[usize::from(number / stride) % words.len()];
        Self {
            description: pick(&["juniper with a bivouac", "bivouac and harpsichord", "the harpsichord", "juniper"], 1),
            readme: pick(&["", "ferrule\n", "# Gossamer\n\nThe gossamer of a ferrule.\n"], 2),
            capabilities: chosen(&["brelfo", "quindra"], number % 4),
            tags: chosen(&["mopwit", "zanlure", "tirvish"], number % 7),
            author: pick(&["Ottoline Frobisher", "Casimir Vance"], 3),
            model: pick_model(number),
            runtime: pick(&["python", "nodejs"], 5),
            license: pick(&["MIT", "Apache-2.0", "MIT OR Apache-2.0"], 1),
        }
    }

    /// The model as records show it.
    pub(crate) fn model(&self) -> String {
        format!("{}/{}", self.model.0, self.model.1)
    }

    /// Packs it as a version, or as none.
    pub(crate) fn pack(&self, name: &str, version: Option<&str>) -> Artifact {
        let place = tempfile::tempdir().unwrap();
        let version = version.map(|version| format!("  version: {version}\n")).unwrap_or_default();
        let text = format!(
            "apiVersion: agent.dev/v1\nkind: Agent\nmetadata:\n  name: {name}\n{version}  description: {}\n  \
             author: {}\n  license: {}\n  tags: [{}]\nspec:\n  runtime: {}\n  model: {{provider: {}, name: {}}}\n  \
             capabilities: [{}]\n",
            self.description,
            self.author,
            self.license,
            self.tags.join(", "),
            self.runtime,
            self.model.0,
            self.model.1,
            self.capabilities.join(", "),
        );
        std::fs::write(place.path().join("agent.yaml"), text).unwrap();
        if !self.readme.is_empty() {
            std::fs::write(place.path().join("README.md"), self.readme).unwrap();
        }
        Source::open(place.path()).unwrap().draft(&Overrides::default()).unwrap().pack().unwrap()
    }
}

fn pick_model(number: u8) -> (&'static str, &'static str) {
    [("openai", "gpt-4"), ("ollama", "llama3.2"), ("anthropic", "claude-4")][usize::from(number) % 3]
}
