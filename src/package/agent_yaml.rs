//! `agent.yaml`: what it says, or everything that is wrong with it.

use std::collections::BTreeMap;

use super::agent_schema::AGENT;
use super::names::slug;
use super::problem::{Place, Problem, Problems};
use super::schema::check;
use super::version::Version;
use super::yaml::Node;

/// Largest `agent.yaml` in bytes.
pub const MAX_AGENT_YAML_BYTES: usize = 256 * 1024;

/// File names looked for, in this order.
pub const AGENT_YAML_NAMES: [&str; 4] = ["agent.yaml", "agent.yml", "Agent.yaml", "Agent.yml"];

/// The facts of an `agent.yaml`. Free maps stay in the file, which every package carries unchanged.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentYaml {
    /// `apiVersion`.
    pub api_version: String,
    /// The package name: `display_name` where that is a repository component, else its slug.
    pub name: String,
    /// `metadata.name` as written.
    pub display_name: String,
    /// `metadata.version`.
    pub version: Option<Version>,
    /// `metadata.description`.
    pub description: Option<String>,
    /// `metadata.author`.
    pub author: Option<String>,
    /// `metadata.license`.
    pub license: Option<String>,
    /// `metadata.tags`.
    pub tags: Vec<String>,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `spec.runtime`.
    pub runtime: String,
    /// `spec.model.provider`.
    pub model_provider: String,
    /// `spec.model.name`.
    pub model: String,
    /// `spec.capabilities`.
    pub capabilities: Vec<String>,
    /// `spec.dependencies`.
    pub dependencies: Vec<String>,
    /// The container side of `spec.ports`.
    pub ports: Vec<u16>,
    /// Where `spec.healthCheck` asks, if it asks over HTTP.
    pub health_check: Option<String>,
    /// `spec.compatibility.python`.
    pub python: Option<String>,
    /// `spec.compatibility.platforms`.
    pub platforms: Vec<String>,
}

impl AgentYaml {
    /// Reads a file; beside the facts come warnings, such as of keys nobody knows.
    pub fn parse(bytes: &[u8]) -> Result<(Self, Vec<Problem>), Problems> {
        let document = Node::parse(utf8(bytes)?, 1)?;
        let warnings = Problems::settle(check(&document, &AGENT))?;
        let agent = Self::read(&document)
            .ok_or_else(|| Problem::error(document.place, "", "the required keys do not fit together"))?;
        Ok((agent, warnings))
    }

    /// Takes the facts from a document that passed the check; `None` means the check and this function disagree.
    fn read(document: &Node) -> Option<Self> {
        let (metadata, spec) = (document.get("metadata")?, document.get("spec")?);
        let display_name = text(metadata, &["name"])?;
        let labels = metadata.get("labels").map(Node::entries).unwrap_or_default();
        Some(Self {
            api_version: text(document, &["apiVersion"])?,
            name: slug(&display_name)?,
            display_name,
            version: text(metadata, &["version"]).and_then(|version| version.parse().ok()),
            description: text(metadata, &["description"]),
            author: text(metadata, &["author"]),
            license: text(metadata, &["license"]),
            tags: texts(metadata, &["tags"]),
            labels: labels.iter().filter_map(|(key, value)| Some((key.text()?.into(), value.text()?.into()))).collect(),
            runtime: text(spec, &["runtime"])?,
            model_provider: text(spec, &["model", "provider"])?,
            model: text(spec, &["model", "name"])?,
            capabilities: texts(spec, &["capabilities"]),
            dependencies: texts(spec, &["dependencies"]),
            ports: ports(spec),
            health_check: spec.get("healthCheck").and_then(health_check),
            python: text(spec, &["compatibility", "python"]),
            platforms: texts(spec, &["compatibility", "platforms"]),
        })
    }
}

/// A document as text, under the limit.
fn utf8(bytes: &[u8]) -> Result<&str, Problem> {
    let start = Place { line: 1, column: 1 };
    if bytes.len() > MAX_AGENT_YAML_BYTES {
        let message = format!("{} bytes are too many, at most {MAX_AGENT_YAML_BYTES} are read", bytes.len());
        return Err(Problem::error(start, "", message));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = before.matches('\n').count() as u64 + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
        Problem::error(Place { line, column }, "", "not UTF-8 text")
    })
}

fn text(node: &Node, keys: &[&str]) -> Option<String> {
    node.at(keys)?.text().map(str::to_owned)
}

fn texts(node: &Node, keys: &[&str]) -> Vec<String> {
    let items = node.at(keys).map(Node::items).unwrap_or_default();
    items.iter().filter_map(Node::text).map(str::to_owned).collect()
}

fn ports(spec: &Node) -> Vec<u16> {
    let ports = spec.get("ports").map(Node::items).unwrap_or_default();
    ports.iter().filter_map(|port| port.get("container")?.text()?.parse().ok()).collect()
}

/// The last argument that is a URL; else the documented form with a path and port.
fn health_check(check: &Node) -> Option<String> {
    let command = check.get("command").map(Node::items).unwrap_or_default();
    let is_url = |text: &&str| text.starts_with("http://") || text.starts_with("https://");
    if let Some(url) = command.iter().rev().filter_map(Node::text).find(is_url) {
        return Some(url.to_owned());
    }
    let port = text(check, &["port"])?;
    let path = text(check, &["path"])?;
    Some(format!("http://localhost:{port}/{}", path.trim_start_matches('/')))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use std::path::Path;

    use super::*;

    const SMALL: &str = "apiVersion: agent.dev/v1\nkind: Agent\nmetadata:\n  name: My Agent\n  version: 1.0.0\n\
                         spec:\n  runtime: python\n  model: {provider: openai, name: gpt-4}\n";

    #[test]
    fn the_real_templates_parse_without_a_word() {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/agents/agent-as-code/templates");
        let mut count = 0;
        for entry in std::fs::read_dir(templates).unwrap() {
            let path = entry.unwrap().path().join("agent.yaml");
            let (agent, warnings) = AgentYaml::parse(&std::fs::read(&path).unwrap()).unwrap();
            assert_eq!(warnings, [], "{}", path.display());
            assert_eq!((agent.model.is_empty(), agent.ports.as_slice()), (false, [8080].as_slice()));
            assert_eq!(agent.health_check.as_deref(), Some("http://localhost:8080/health"));
            count += 1;
        }
        assert_eq!(count, 6);
    }

    #[test]
    fn every_problem_is_told_with_its_place_and_what_is_allowed() {
        let broken = "apiVersion: agent.dev/v1\nkind: Pod\nmetadata:\n  name: x\n  version: 1.0\n  nmae: y\nspec:\n  \
                      runtime: perl\n  model: gpt-4\n  ports:\n    - container: 70000\n  runtime: go\n";
        let problems = AgentYaml::parse(broken.as_bytes()).unwrap_err();
        let known = "name, version, description, author, license, tags, labels";
        let expected = format!(
            "2:7: error: `kind`: expected `Agent`, found `Pod`\n\
             5:12: error: `metadata.version`: expected a semantic version such as `1.2.3`, found `1.0`\n\
             6:3: warning: `metadata.nmae`: unknown key, ignored; known here: {known}\n\
             8:12: error: `spec.runtime`: expected one of `python`, `nodejs`, `go`, `rust`, `java`, found `perl`\n\
             9:10: error: `spec.model`: expected a map, found `gpt-4`\n\
             11:18: error: `spec.ports[0].container`: expected a whole number from 1 to 65535, found `70000`\n\
             12:3: error: `spec.runtime`: set twice, first at 8:3"
        );
        assert_eq!(problems.to_string(), expected);
    }

    #[test]
    fn names_are_slugged_and_versions_optional() {
        let (agent, _) = AgentYaml::parse(SMALL.as_bytes()).unwrap();
        assert_eq!((agent.name.as_str(), agent.display_name.as_str()), ("my-agent", "My Agent"));
        let (agent, _) = AgentYaml::parse(SMALL.replace("  version: 1.0.0\n", "").as_bytes()).unwrap();
        assert_eq!(agent.version, None);
        let missing = AgentYaml::parse(SMALL.replace("kind: Agent\n", "").as_bytes()).unwrap_err();
        assert!(missing.to_string().contains("`kind` is missing: expected `Agent`"), "{missing}");
    }

    #[test]
    fn documented_keys_nobody_reads_are_accepted() {
        let more = "  capability_config: {a: [1]}\n  dev_dependencies: [x]\n  scaling: {replicas: 2, vertical: {}}\n  \
                    healthCheck: {type: http, path: /up, port: 80}\n  environment:\n    - {name: A, secretName: s, \
                    secretKey: k, configMapName: c, configMapKey: k, envKey: e, defaultValue: 3}\n  volumes:\n    - \
                    {target: /t, readOnly: true, size: 1Gi, tmpfs: {}, configmap: c}\n  resources: {limits: \
                    {ephemeral-storage: 1Gi}}\n";
        let (agent, warnings) = AgentYaml::parse(format!("{SMALL}{more}").as_bytes()).unwrap();
        assert_eq!(warnings, []);
        assert_eq!(agent.health_check.as_deref(), Some("http://localhost:80/up"));
    }

    #[test]
    fn oversize_and_binary_files_are_refused() {
        let large = AgentYaml::parse(&vec![b'#'; MAX_AGENT_YAML_BYTES + 1]).unwrap_err();
        assert!(large.to_string().contains("too many"), "{large}");
        let binary = AgentYaml::parse(b"a: 1\nb: \xff").unwrap_err();
        assert_eq!(binary.all()[0].place, Place { line: 2, column: 4 });
        assert!(AgentYaml::parse(b"").is_err());
    }
}
