//! An agent package: on disk, and as the parts of an artifact. No network, no terminal.

mod agent_schema;
mod agent_yaml;
mod config;
mod file_path;
mod front_matter;
mod ignore_rules;
mod layers;
mod metadata;
mod names;
mod pack;
mod problem;
mod schema;
mod stream;
mod summary;
mod tree;
mod unpack;
mod version;
mod yaml;

pub use agent_schema::RUNTIMES;
pub use agent_yaml::{AGENT_YAML_NAMES, AgentYaml, MAX_AGENT_YAML_BYTES};
pub use config::{Config, ConfigError, FileEntry, MAX_CONFIG_BYTES, MAX_FILES, Mode};
pub use file_path::{FilePath, FilePathError, MAX_PATH_BYTES, MAX_PATH_DEPTH};
pub use front_matter::{FrontMatter, MAX_FRONT_MATTER_BYTES};
pub use ignore_rules::MAX_IGNORE_BYTES;
pub use layers::tree_layer;
pub use metadata::{Compatibility, Metadata};
pub use names::{MAX_SLUG_LENGTH, slug};
pub use pack::{DEFLATE_LEVEL, MAX_TAR_FILE_BYTES, PackError};
pub use problem::{Place, Problem, Problems, Severity};
pub use schema::MAX_PROBLEMS;
pub use summary::Summary;
pub use tree::{LeftOut, MAX_FOLDERS, Tree, TreeError, TreeFile};
pub use unpack::{FREE_TAR_BYTES, MAX_TAR_BYTES, MAX_TAR_RATIO, UnpackError};
pub use version::{Version, VersionError};
pub use yaml::{MAX_YAML_DEPTH, MAX_YAML_NODES};
