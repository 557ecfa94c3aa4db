//! Words that people wrote about agents, in pieces that are put together anew: how often each word comes stays as it is
//! in real text.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::random::Random;

/// Words of a piece, at least and at most.
const PIECE: (usize, usize) = (3, 8);
/// Capabilities, labels and models that are used at all.
const CAPABILITIES: usize = 2_000;
const LABELS: usize = 5_000;
const MODELS: usize = 120;
const PROVIDERS: [&str; 8] = ["openai", "anthropic", "ollama", "google", "mistral", "meta", "cohere", "local"];
const FAMILIES: [&str; 8] = ["gpt", "claude", "llama", "gemini", "mixtral", "qwen", "command", "phi"];

/// What texts and names are made of.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    /// Pieces of sentences, as often as they were found.
    pub(crate) pieces: Vec<String>,
    /// Lower-case words that names are made of, as often as they were found.
    pub(crate) names: Vec<String>,
    /// From the most to the least used.
    pub(crate) capabilities: Vec<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) models: Vec<(String, String)>,
}

impl Vocabulary {
    /// Reads the texts that [`origins`] names.
    pub(crate) fn read() -> Result<Self> {
        let (mut pieces, mut names, mut random) = (vec![], vec![], Random::of(1, 0));
        let (_, folders) = origins();
        for folder in &folders {
            read(folder, &mut |path, text| {
                name_words(path, &mut names);
                cut(text, path.extension().is_some_and(|kind| kind == "rs"), &mut random, &mut pieces);
            })?;
        }
        ensure!(pieces.len() > 1_000 && names.len() > 100, "too little text in {folders:?}");
        // Names say what text says, too.
        let some = (0..names.len()).filter_map(|_| plain_word(random.word(&pieces), &mut random)).collect::<Vec<_>>();
        names.extend(some);
        let pair = |random: &mut Random| format!("{}-{}", random.word(&names), random.word(&names));
        let capabilities = distinct(CAPABILITIES, &mut random, pair);
        let labels = distinct(LABELS, &mut random, |random: &mut Random| match random.below(3) {
            0 => pair(random),
            1 => random.word(&names).to_owned(),
            _ => plain_word(random.word(&pieces), random).unwrap_or_else(|| pair(random)),
        });
        let models = (0..MODELS).map(|number| {
            let provider = PROVIDERS[number % PROVIDERS.len()];
            (provider.to_owned(), format!("{}-{}", random.pick(&FAMILIES), number / 4))
        });
        let models = models.collect();
        Ok(Self { pieces, names, capabilities, labels, models })
    }

    /// Text of about so many bytes.
    pub(crate) fn text(&self, random: &mut Random, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 64);
        while text.len() < bytes {
            text += random.word(&self.pieces);
            text += if random.chance(0.25) { ". " } else { " " };
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// Where the texts are, and a name for that: agents of others where they are at hand, else this project's own.
pub(crate) fn origins() -> (&'static str, Vec<PathBuf>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = root.join("../shared/corpus/agents");
    if corpus.is_dir() {
        return ("corpus", vec![corpus]);
    }
    ("own", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "examples", "src", "tests"].map(|at| root.join(at)).into())
}

fn read(path: &Path, each: &mut dyn FnMut(&Path, &str)) -> Result<()> {
    if path.is_dir() {
        // In the same order everywhere.
        let mut inside = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        inside.sort();
        return inside.iter().try_for_each(|path| read(path, each));
    }
    let is_text =
        path.extension().is_some_and(|kind| ["md", "yaml", "yml", "rs", "txt"].iter().any(|known| kind == *known));
    if is_text && let Ok(text) = fs::read_to_string(path) {
        each(path, &text);
    }
    Ok(())
}

/// Adds the words in the names of a file and its folder.
fn name_words(path: &Path, names: &mut Vec<String>) {
    let parts = [path.file_stem(), path.parent().and_then(Path::file_name)];
    for part in parts.into_iter().flatten() {
        let part = part.to_string_lossy().to_ascii_lowercase();
        let words = part.split(|letter: char| !letter.is_ascii_alphabetic());
        names.extend(words.filter(|word| (3..=14).contains(&word.len())).map(str::to_owned));
    }
}

/// Cuts the lines of a text that read like sentences into pieces; of source code those of its comments.
fn cut(text: &str, is_source: bool, random: &mut Random, pieces: &mut Vec<String>) {
    for line in text.lines().map(str::trim) {
        let line = if is_source { line.strip_prefix("//").unwrap_or_default() } else { line };
        let line = line.trim_start_matches(|letter: char| !letter.is_alphanumeric());
        let is_prose = |letter: char| letter.is_ascii_alphanumeric() || " ,.'()-/:".contains(letter);
        let words: Vec<&str> = line.split_whitespace().filter(|word| word.chars().all(is_prose)).collect();
        let mut rest = words.as_slice();
        while rest.len() >= PIECE.0 {
            let length = (PIECE.0 + random.below(PIECE.1 - PIECE.0 + 1)).min(rest.len());
            let (piece, others) = rest.split_at(length);
            pieces.push(piece.join(" "));
            rest = others;
        }
    }
}

/// A word of a piece that could be part of a name.
fn plain_word(piece: &str, random: &mut Random) -> Option<String> {
    let words: Vec<&str> = piece.split(' ').collect();
    let word = random.pick(&words).to_ascii_lowercase();
    let is_plain = (4..=12).contains(&word.len()) && word.bytes().all(|letter| letter.is_ascii_lowercase());
    is_plain.then_some(word)
}

fn distinct(count: usize, random: &mut Random, mut make: impl FnMut(&mut Random) -> String) -> Vec<String> {
    let (mut seen, mut found) = (HashSet::new(), vec![]);
    // Own text may have fewer words than are wanted.
    for _ in 0..count * 20 {
        let text = make(random);
        if found.len() < count && seen.insert(text.clone()) {
            found.push(text);
        }
    }
    found
}
