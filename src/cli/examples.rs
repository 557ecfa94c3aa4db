//! The example agents, inside the program, so that a newcomer needs nothing else.

use std::fs;
use std::path::Path;

use super::error::Error;

/// An example and its files.
pub(super) struct Example {
    pub name: &'static str,
    pub files: &'static [(&'static str, &'static str)],
}

/// A file of an example by its path there.
macro_rules! file {
    ($package:literal, $path:literal) => {
        ($path, include_str!(concat!("../../examples/packages/", $package, "/", $path)))
    };
}

/// The examples, in the order of the story.
pub(super) const EXAMPLES: &[Example] = &[
    Example {
        name: "sentiment-analyzer",
        files: &[
            file!("sentiment-analyzer", "README.md"),
            file!("sentiment-analyzer", "agent.yaml"),
            file!("sentiment-analyzer", "requirements.txt"),
            file!("sentiment-analyzer", "sentiment/__init__.py"),
            file!("sentiment-analyzer", "sentiment/lexicon.py"),
            file!("sentiment-analyzer", "sentiment/model.py"),
            file!("sentiment-analyzer", "sentiment/server.py"),
            file!("sentiment-analyzer", "tests/__init__.py"),
            file!("sentiment-analyzer", "tests/test_sentiment.py"),
        ],
    },
    Example {
        name: "release-notes",
        files: &[
            file!("release-notes", "README.md"),
            file!("release-notes", "agent.yaml"),
            file!("release-notes", "package.json"),
            file!("release-notes", "src/agent.ts"),
            file!("release-notes", "src/git.ts"),
            file!("release-notes", "src/main.ts"),
            file!("release-notes", "src/notes.test.ts"),
            file!("release-notes", "src/notes.ts"),
            file!("release-notes", "tsconfig.json"),
        ],
    },
    Example {
        name: "incident-review",
        files: &[
            file!("incident-review", "SKILL.md"),
            file!("incident-review", "references/questions.md"),
            file!("incident-review", "references/template.md"),
        ],
    },
];

impl Example {
    /// Writes the files into a folder of its name.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Error> {
        for (path, text) in self.files {
            let path = folder.join(self.name).join(path);
            let failed = |source| Error::io("write", &path, source);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(failed)?;
            }
            fs::write(&path, text).map_err(failed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;
    use crate::package::{Overrides, Source};

    #[test]
    fn every_file_of_every_example_is_here() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/packages");
        let mut folders: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        folders.sort();
        let mut names: Vec<_> = EXAMPLES.iter().map(|example| example.name).collect();
        names.sort_unstable();
        assert_eq!(folders, names);
        let copies = tempfile::tempdir().unwrap();
        for example in EXAMPLES {
            example.write(copies.path()).unwrap();
            let packed = |root: &Path| {
                let source = Source::open(&root.join(example.name)).unwrap();
                assert_eq!(source.warnings(), [], "{}", example.name);
                source.draft(&Overrides::default()).unwrap().config().clone()
            };
            assert_eq!(packed(copies.path()), packed(&root), "{}", example.name);
        }
    }
}
