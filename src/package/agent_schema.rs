//! Every key `agent.yaml` may hold: those the reference tool reads, and those it documents without reading.

use super::names::slug;
use super::schema::{Field, Shape, may, must};
use super::version::Version;

const TEXTS: Shape = Shape::List(&Shape::Text);

/// Runtimes of the reference tool.
pub const RUNTIMES: &[&str] = &["python", "nodejs", "go", "rust", "java"];

pub(super) const AGENT: Shape = Shape::Map(&[
    must("apiVersion", Shape::Filled),
    must("kind", Shape::OneOf(&["Agent"])),
    must("metadata", Shape::Map(METADATA)),
    must("spec", Shape::Map(SPEC)),
]);

const METADATA: &[Field] = &[
    must("name", Shape::Parsed("a name with at least one letter from a to z or digit", is_name)),
    may("version", Shape::Parsed("a semantic version such as `1.2.3`", is_version)),
    may("description", Shape::Text),
    may("author", Shape::Text),
    may("license", Shape::Text),
    may("tags", TEXTS),
    may("labels", Shape::Labels),
];

const SPEC: &[Field] = &[
    must("runtime", Shape::OneOf(RUNTIMES)),
    must("model", Shape::Map(MODEL)),
    may("capabilities", TEXTS),
    may("capability_config", Shape::Free),
    may("dependencies", TEXTS),
    may("dev_dependencies", TEXTS),
    may("environment", Shape::List(&Shape::Map(ENVIRONMENT))),
    may("ports", Shape::List(&Shape::Map(PORT))),
    may("volumes", Shape::List(&Shape::Map(VOLUME))),
    may("healthCheck", Shape::Map(HEALTH_CHECK)),
    may("resources", Shape::Map(RESOURCES)),
    may("scaling", Shape::Free),
    may("config", Shape::Free),
    may("compatibility", Shape::Map(COMPATIBILITY)),
];

const MODEL: &[Field] = &[must("provider", Shape::Filled), must("name", Shape::Filled), may("config", Shape::Free)];

const ENVIRONMENT: &[Field] = &[
    must("name", Shape::Filled),
    may("value", Shape::Text),
    may("from", Shape::Text),
    may("secretName", Shape::Text),
    may("secretKey", Shape::Text),
    may("configMapName", Shape::Text),
    may("configMapKey", Shape::Text),
    may("envKey", Shape::Text),
    may("defaultValue", Shape::Text),
];

const PORT: &[Field] =
    &[must("container", Shape::Number(1, 65535)), may("host", Shape::Number(0, 65535)), may("protocol", Shape::Text)];

const VOLUME: &[Field] = &[
    may("source", Shape::Text),
    must("target", Shape::Filled),
    may("type", Shape::Text),
    may("readOnly", Shape::Bool),
    may("size", Shape::Text),
    may("tmpfs", Shape::Free),
    may("configmap", Shape::Free),
];

const HEALTH_CHECK: &[Field] = &[
    may("command", Shape::FilledList(&Shape::Text)),
    may("type", Shape::OneOf(&["http", "tcp", "command", "exec"])),
    may("path", Shape::Text),
    may("port", Shape::Number(1, 65535)),
    may("interval", Shape::Text),
    may("timeout", Shape::Text),
    may("retries", Shape::Number(0, 1_000_000)),
    may("startPeriod", Shape::Text),
];

const RESOURCES: &[Field] = &[may("limits", Shape::Map(QUANTITIES)), may("requests", Shape::Map(QUANTITIES))];

const QUANTITIES: &[Field] =
    &[may("cpu", Shape::Text), may("memory", Shape::Text), may("ephemeral-storage", Shape::Text)];

const COMPATIBILITY: &[Field] = &[may("python", Shape::Text), may("platforms", TEXTS)];

fn is_name(text: &str) -> bool {
    slug(text).is_some()
}

fn is_version(text: &str) -> bool {
    text.parse::<Version>().is_ok()
}
