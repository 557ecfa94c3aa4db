//! The YAML between `---` lines at the head of a Markdown file: `SKILL.md`, `*.agent.md`, `README.md`.

use super::problem::{Place, Problem, Problems};
use super::schema::{Shape, check, may};
use super::yaml::Node;

/// Largest front matter in bytes, fences included.
pub const MAX_FRONT_MATTER_BYTES: usize = 64 * 1024;

/// Only the keys read here are checked: each tool adds its own, and none of them is ours to judge.
const FRONT_MATTER: Shape = Shape::Open(&[
    may("name", Shape::Text),
    may("description", Shape::Text),
    may("license", Shape::Text),
    may("compatibility", Shape::Free),
    may("metadata", Shape::Free),
    may("tools", Shape::Free),
    may("model", Shape::Free),
]);

/// What the head of a Markdown file says. Everything is optional; an absent head is an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontMatter {
    /// `name`.
    pub name: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `license`.
    pub license: Option<String>,
    /// `version`, or `metadata.version` where skills put it; as written, it need not be semantic.
    pub version: Option<String>,
    /// `author`, or `metadata.author`.
    pub author: Option<String>,
    /// `tags`, or `metadata.tags`: a list, or one text with commas.
    pub tags: Vec<String>,
    /// `model`, where it is one name.
    pub model: Option<String>,
    /// `allowed-tools` or `tools`: a list, or one text with commas.
    pub tools: Vec<String>,
}

impl FrontMatter {
    /// Reads the head of a file and says where in `text` the Markdown begins, in bytes.
    pub fn parse(text: &str) -> Result<(Self, usize), Problems> {
        let Some((yaml, body)) = split(text)? else {
            return Ok((Self::default(), 0));
        };
        // Places count from the fence, which is line 1.
        let head = Node::parse(yaml, 2)?;
        if yaml.trim().is_empty() || head.value == super::yaml::Value::Null {
            return Ok((Self::default(), body));
        }
        Problems::settle(check(&head, &FRONT_MATTER))?;
        Ok((Self::read(&head), body))
    }

    fn read(head: &Node) -> Self {
        let text = |key: &str| head.get(key).and_then(Node::text).map(str::to_owned);
        let deep = |key: &str| text(key).or_else(|| head.at(&["metadata", key])?.text().map(str::to_owned));
        let tags = head.get("tags").or_else(|| head.at(&["metadata", "tags"]));
        Self {
            name: text("name"),
            description: text("description"),
            license: text("license"),
            version: deep("version"),
            author: deep("author"),
            tags: tags.map(words).unwrap_or_default(),
            model: text("model"),
            tools: head.get("allowed-tools").or_else(|| head.get("tools")).map(words).unwrap_or_default(),
        }
    }
}

/// The Markdown of a file without its head; all of it where the head is none, or not closed.
pub fn without_front_matter(text: &str) -> &str {
    match split(text) {
        Ok(Some((_, body))) => &text[body..],
        Ok(None) | Err(_) => text,
    }
}

/// The YAML and the start of the Markdown; `None` when the file begins with no fence.
fn split(text: &str) -> Result<Option<(&str, usize)>, Problem> {
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let fence = |line: &str| line.trim_end() == "---";
    let mut lines = text[mark..].split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| fence(line)) else {
        return Ok(None);
    };
    let start = mark + first.len();
    let mut end = start;
    for line in lines {
        if fence(line) {
            return Ok(Some((&text[start..end], end + line.len())));
        }
        end += line.len();
        if end > MAX_FRONT_MATTER_BYTES {
            break;
        }
    }
    let message = format!("the front matter opened here has no closing `---` within {MAX_FRONT_MATTER_BYTES} bytes");
    Err(Problem::error(Place { line: 1, column: 1 }, "", message))
}

fn words(node: &Node) -> Vec<String> {
    match node.text() {
        Some(text) => text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        None => node.items().iter().filter_map(Node::text).map(str::to_owned).collect(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn find(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                find(&path, found);
            } else if path.to_string_lossy().ends_with("SKILL.md") || path.to_string_lossy().ends_with(".agent.md") {
                found.push(path);
            }
        }
    }

    #[test]
    fn real_skills_and_agents_are_read() {
        let mut files = vec![];
        find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/agents"), &mut files);
        assert!(files.len() > 400, "{}", files.len());
        let mut refused = vec![];
        for path in &files {
            match FrontMatter::parse(&std::fs::read_to_string(path).unwrap()) {
                Ok((head, body)) => assert!(body == 0 || head.description.is_some(), "{}", path.display()),
                Err(problems) => refused.push(format!("{}: {problems}", path.display())),
            }
        }
        assert_eq!(refused, Vec::<String>::new());
    }

    #[test]
    fn the_head_and_the_body_are_told_apart() {
        let text = "---\r\nname: x\r\nmetadata: {version: 1.10, tags: 'a, b'}\r\nallowed-tools: [Read]\r\nown: {}\r\n---\r\n# Hi\r\n";
        let (head, body) = FrontMatter::parse(text).unwrap();
        assert_eq!((&text[body..], without_front_matter(text)), ("# Hi\r\n", "# Hi\r\n"));
        assert_eq!(without_front_matter("---\nname: [\n---\nx"), "x", "whatever the YAML is");
        assert_eq!(without_front_matter("---\nx"), "---\nx");
        assert_eq!((head.name.as_deref(), head.version.as_deref()), (Some("x"), Some("1.10")));
        assert_eq!((head.tags, head.tools), (vec!["a".to_owned(), "b".to_owned()], vec!["Read".to_owned()]));
    }

    #[test]
    fn a_file_without_head_has_an_empty_one() {
        for text in ["", "# Title\n---\n", "----\nx: 1\n---\n"] {
            assert_eq!(FrontMatter::parse(text).unwrap(), (FrontMatter::default(), 0));
        }
        assert_eq!(FrontMatter::parse("---\n---\nx").unwrap(), (FrontMatter::default(), 8));
        assert_eq!(FrontMatter::parse("---\n# c\n---\nx").unwrap(), (FrontMatter::default(), 12));
    }

    #[test]
    fn problems_count_lines_of_the_file() {
        let problems = FrontMatter::parse("---\nname: [a]\nlicense: {}\n---\n").unwrap_err();
        let expected = "2:7: error: `name`: expected text, found a list\n\
                        3:10: error: `license`: expected text, found a map";
        assert_eq!(problems.to_string(), expected);
        assert!(FrontMatter::parse("---\nname: x\n").unwrap_err().to_string().contains("no closing"));
    }
}
