//! Which files of a folder do not become part of its package, and by which rule.
//!
//! Rules are read inside the tree only, so that the same tree packs the same on every machine. Strongest first:
//! `.agentignore` at the root, the rules built in, then `.gitignore` of the folder and of those above it.

use std::path::Path;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Largest ignore file in bytes.
pub const MAX_IGNORE_BYTES: usize = 256 * 1024;

/// The file whose rules win over all others; `!path` in it brings back what a rule below leaves out.
pub(super) const AGENT_IGNORE: &str = ".agentignore";

/// Left out of every package: what no reader needs, and what its author would regret.
const BUILT_IN: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".bzr",
    ".jj",
    "CVS", // version control
    ".env",
    ".env.*",
    "!.env.example",
    "!.env.sample",
    "!.env.template", // secrets
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.ppk",
    "*.jks", // private keys
    "node_modules",
    ".venv",
    "__pycache__",
    ".DS_Store", // made by tools, made again by them
];

/// The rules in force at one place of a walk.
#[derive(Debug)]
pub(super) struct IgnoreRules {
    agent: Gitignore,
    built_in: Gitignore,
    // One for each folder entered, outermost first.
    folders: Vec<Gitignore>,
}

impl IgnoreRules {
    /// The rules at the root of a tree, given the text of its `.agentignore`.
    pub(super) fn new(agent_ignore: &str) -> Result<Self, ignore::Error> {
        let built_in = rules("", &BUILT_IN.join("\n"))?;
        Ok(Self { agent: rules("", agent_ignore)?, built_in, folders: vec![] })
    }

    /// Enters a folder, given the text of its `.gitignore`.
    pub(super) fn enter(&mut self, folder: &str, git_ignore: &str) -> Result<(), ignore::Error> {
        self.folders.push(rules(folder, git_ignore)?);
        Ok(())
    }

    /// Leaves the folder entered last.
    pub(super) fn leave(&mut self) {
        self.folders.pop();
    }

    /// The rule that leaves a path out, and where it is from. Folders above it are not looked at.
    pub(super) fn leaving_out(&self, path: &str, is_folder: bool) -> Option<String> {
        let nested = self.folders.iter().rev().map(|rules| (".gitignore", rules));
        let all = [(AGENT_IGNORE, &self.agent), ("built in", &self.built_in)].into_iter().chain(nested);
        for (origin, rules) in all {
            match rules.matched(Path::new(path), is_folder) {
                Match::Ignore(glob) => return Some(format!("{} ({origin})", glob.original())),
                // A built-in `!` only takes back a built-in rule.
                Match::Whitelist(_) if origin != "built in" => return None,
                Match::Whitelist(_) | Match::None => {}
            }
        }
        None
    }

    /// The rule that leaves a file or one of the folders above it out.
    pub(super) fn leaving_out_anywhere(&self, path: &str) -> Option<String> {
        let mut folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        folders.find_map(|folder| self.leaving_out(folder, true)).or_else(|| self.leaving_out(path, false))
    }
}

fn rules(folder: &str, text: &str) -> Result<Gitignore, ignore::Error> {
    let mut builder = GitignoreBuilder::new(folder);
    for line in text.lines() {
        builder.add_line(None, line)?;
    }
    builder.build()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    #[test]
    fn built_in_rules_hold_until_agentignore_says_otherwise() {
        let rules = IgnoreRules::new("!.env\n*.log\n").unwrap();
        assert_eq!(rules.leaving_out("a/.env", false), None);
        assert_eq!(rules.leaving_out("a/.env.local", false).unwrap(), ".env.* (built in)");
        assert_eq!(rules.leaving_out("a/.env.example", false), None);
        assert_eq!(rules.leaving_out("x/y.log", false).unwrap(), "*.log (.agentignore)");
        assert_eq!(rules.leaving_out("environment", false), None);
    }

    #[test]
    fn gitignore_holds_in_its_folder_and_cannot_bring_back_secrets() {
        let mut rules = IgnoreRules::new("").unwrap();
        rules.enter("", "/build\n*.tmp\n").unwrap();
        rules.enter("a", "!keep.tmp\n!.env\n/own\n").unwrap();
        assert_eq!(rules.leaving_out("build", true).unwrap(), "/build (.gitignore)");
        assert_eq!(rules.leaving_out("a/build", true), None);
        assert_eq!(rules.leaving_out("a/own", false).unwrap(), "/own (.gitignore)");
        assert_eq!(rules.leaving_out("a/keep.tmp", false), None);
        assert!(rules.leaving_out("a/.env", false).is_some());
        rules.leave();
        assert!(rules.leaving_out("a/keep.tmp", false).is_some());
        assert!(rules.leaving_out_anywhere("a/.git/config").is_some());
    }
}
