//! The short projection of a package's metadata into the annotations of its manifest, for tools that read no
//! configuration.

use std::collections::BTreeMap;

use super::metadata::Metadata;

/// Longest annotation value in bytes: some registries refuse to copy longer ones.
pub const MAX_ANNOTATION_BYTES: usize = 255;

/// Most bytes of all annotations, keys and values; [`MAX_ANNOTATION_BYTES`] and the number of keys keep them below.
pub const MAX_ANNOTATIONS_BYTES: usize = 8 * 1024;

/// When the package was made, RFC 3339; the one annotation of ours that is not in the configuration.
pub const CREATED: &str = "org.opencontainers.image.created";

/// Labels that become the annotation of the same key: `agent.yaml` or a flag sets them.
pub(super) const LABELLED: [&str; 5] = [
    "org.opencontainers.image.source",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.url",
    "org.opencontainers.image.documentation",
    "org.opencontainers.image.vendor",
];

/// Annotations that a field becomes.
const FIELDS: [&str; 5] = [
    "org.opencontainers.image.title",
    "org.opencontainers.image.version",
    "org.opencontainers.image.description",
    "org.opencontainers.image.authors",
    "org.opencontainers.image.licenses",
];

/// The beginning of the keys that are this project's alone.
const OWN: &str = "vnd.agentpkg.";

/// Whether a manifest may carry the key only as the projection does.
pub(super) fn is_projected(key: &str) -> bool {
    key.starts_with(OWN) || FIELDS.contains(&key) || LABELLED.contains(&key)
}

impl Metadata {
    /// The annotations of a manifest with this metadata: at most [`MAX_ANNOTATION_BYTES`] a value,
    /// [`MAX_ANNOTATIONS_BYTES`] together.
    ///
    /// Text that is longer is cut at a character and ends in `…`; of a list the first items that fit are kept, and
    /// `vnd.agentpkg.truncated` names it. Empty values are left out.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        let version = self.version.as_ref().map(ToString::to_string);
        let fields = [Some(&self.name), version.as_ref(), self.description.as_ref(), self.author.as_ref()];
        let texts = FIELDS.into_iter().zip(fields.into_iter().chain([self.license.as_ref()]));
        let labels = LABELLED.into_iter().map(|key| (key, self.labels.get(key)));
        let mut annotations: BTreeMap<String, String> = texts
            .chain(labels)
            .filter_map(|(key, text)| Some((key.to_owned(), cut(text.filter(|text| !text.is_empty())?))))
            .collect();
        let model = self.model_reference();
        let own = [("model", &model), ("runtime", &self.runtime), ("schema-version", &self.schema_version)];
        for (key, text) in own {
            if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
                annotations.insert(format!("{OWN}{key}"), cut(text));
            }
        }
        self.add_lists(&mut annotations);
        annotations
    }

    fn add_lists(&self, annotations: &mut BTreeMap<String, String>) {
        let json = |items: &[String]| items.iter().map(|item| json_text(item)).collect();
        let lists: [(&str, Vec<String>); 4] = [
            ("capabilities", json(&self.capabilities)),
            ("platforms", json(&self.compatibility.platforms)),
            ("ports", self.ports.iter().map(ToString::to_string).collect()),
            ("tags", json(&self.tags)),
        ];
        let mut truncated = vec![];
        for (key, items) in lists.into_iter().filter(|(_, items)| !items.is_empty()) {
            let (list, is_whole) = first_that_fit(&items);
            annotations.insert(format!("{OWN}{key}"), list);
            if !is_whole {
                truncated.push(json_text(key));
            }
        }
        if !truncated.is_empty() {
            annotations.insert(format!("{OWN}truncated"), format!("[{}]", truncated.join(",")));
        }
    }
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A JSON list of the first items, given as JSON, that fit; and whether all did.
fn first_that_fit(items: &[String]) -> (String, bool) {
    let mut list = "[".to_owned();
    for (index, item) in items.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        if list.len() + comma.len() + item.len() + "]".len() > MAX_ANNOTATION_BYTES {
            return (list + "]", false);
        }
        list.push_str(comma);
        list.push_str(item);
    }
    (list + "]", true)
}

fn cut(text: &str) -> String {
    if text.len() <= MAX_ANNOTATION_BYTES {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(MAX_ANNOTATION_BYTES - '…'.len_utf8());
    format!("{}…", &text[..end])
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_field_has_its_key() {
        let metadata: Metadata = serde_json::from_str(
            r#"{"name":"demo","version":"1.0.0+b","description":"Does it.","author":"A","license":"MIT","tags":["x"],
                "labels":{"org.opencontainers.image.source":"https://example.com/demo","team":"a"},
                "capabilities":["chat"],"model":"gpt-4","model_provider":"openai","runtime":"go","ports":[80,81],
                "compatibility":{"platforms":["linux/amd64"]},"schema_version":"agent.dev/v1","dependencies":["x"]}"#,
        )
        .unwrap();
        let expected = r#"{"org.opencontainers.image.authors":"A","org.opencontainers.image.description":"Does it.","org.opencontainers.image.licenses":"MIT","org.opencontainers.image.source":"https://example.com/demo","org.opencontainers.image.title":"demo","org.opencontainers.image.version":"1.0.0+b","vnd.agentpkg.capabilities":"[\"chat\"]","vnd.agentpkg.model":"openai/gpt-4","vnd.agentpkg.platforms":"[\"linux/amd64\"]","vnd.agentpkg.ports":"[80,81]","vnd.agentpkg.runtime":"go","vnd.agentpkg.schema-version":"agent.dev/v1","vnd.agentpkg.tags":"[\"x\"]"}"#;
        assert_eq!(serde_json::to_string(&metadata.annotations()).unwrap(), expected);
        assert!(metadata.annotations().keys().all(|key| is_projected(key)));
    }

    #[test]
    fn long_values_are_cut_where_a_reader_can_tell() {
        let metadata = Metadata {
            name: "x".to_owned(),
            description: Some("ü".repeat(200)),
            capabilities: ["a".repeat(200), "b".repeat(200), "c".to_owned()].into(),
            tags: vec!["d".repeat(300)],
            ..Metadata::default()
        };
        let annotations = metadata.annotations();
        assert_eq!(annotations["org.opencontainers.image.description"], "ü".repeat(126) + "…");
        assert_eq!(annotations["vnd.agentpkg.capabilities"], format!("[\"{}\"]", "a".repeat(200)));
        assert_eq!(annotations["vnd.agentpkg.tags"], "[]");
        assert_eq!(annotations["vnd.agentpkg.truncated"], r#"["capabilities","tags"]"#);
    }

    proptest! {
        #[test]
        fn values_stay_below_the_limits(text in "\\PC{0,300}", items in proptest::collection::vec("\\PC{0,40}", 0..20)) {
            let mut metadata = Metadata { name: "x".repeat(128), description: Some(text.clone()), ..Metadata::default() };
            for field in [&mut metadata.author, &mut metadata.license, &mut metadata.model, &mut metadata.runtime,
                &mut metadata.schema_version, &mut metadata.model_provider] {
                *field = Some(text.clone());
            }
            metadata.labels = LABELLED.into_iter().map(|key| (key.to_owned(), text.clone())).collect();
            metadata.tags.clone_from(&items);
            metadata.compatibility.platforms.clone_from(&items);
            metadata.ports = (1..60_000).step_by(100).collect();
            metadata.capabilities = items;
            let annotations = metadata.annotations();
            prop_assert!(annotations.values().all(|value| value.len() <= MAX_ANNOTATION_BYTES));
            prop_assert!(annotations.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() <= MAX_ANNOTATIONS_BYTES);
            for list in ["tags", "platforms", "ports", "capabilities"] {
                if let Some(value) = annotations.get(&format!("{OWN}{list}")) {
                    prop_assert!(serde_json::from_str::<Vec<serde_json::Value>>(value).is_ok(), "{value}");
                }
            }
        }
    }
}
