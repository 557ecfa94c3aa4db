//! cosign with a key of its own: offline, without a transparency log, in either of its versions.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::agent::Agent;
use crate::home::Home;
use crate::packages::example;
use crate::process::Process;

/// What the test attestations are of.
pub(crate) const PREDICATE_TYPE: &str = "https://example.com/review";
/// No service signs with us: neither a certificate authority nor a log.
const SIGNING_CONFIG: &str =
    r#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogConfig":{},"tsaConfig":{}}"#;
/// Nobody is trusted but the key; without this file cosign asks the internet.
const TRUSTED_ROOT: &str = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#;

/// A home with two keys, a server, and a package to sign.
pub(crate) struct Signer {
    client: &'static str,
    pub(crate) home: Home,
    pub(crate) server: Process,
    /// The digest of the package.
    pub(crate) digest: String,
}

impl Signer {
    /// The repository of the package.
    pub(crate) const REPOSITORY: &str = "ai-team/release-notes";

    pub(crate) fn new(client: &'static str) -> Self {
        let (home, server) = (Home::new(), Process::spawn());
        for key in ["ours", "other"] {
            home.ok(client, &["generate-key-pair", "--output-key-prefix", key]);
        }
        home.write("signing.json", SIGNING_CONFIG);
        home.write("root.json", TRUSTED_ROOT);
        home.write("predicate.json", r#"{"verdict":"good"}"#);
        let reference = format!("{}/{}:0.3.0", server.host(), Self::REPOSITORY);
        let digest = Agent::new().push(&reference, &example("release-notes").to_string_lossy());
        Self { client, home, server, digest }
    }

    /// The package, by its digest.
    pub(crate) fn package(&self) -> String {
        format!("{}/{}@{}", self.server.host(), Self::REPOSITORY, self.digest)
    }

    /// How this version is told that there is no log.
    fn signing(&self) -> [&'static str; 4] {
        match self.client {
            "cosign" => ["--signing-config", "signing.json", "--trusted-root", "root.json"],
            _ => ["--yes", "--tlog-upload=false", "--key", "ours.key"],
        }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.home.ok(self.client, arguments)
    }

    pub(crate) fn sign(&self) {
        self.run(&[&["sign", "--yes", "--key", "ours.key"], &self.signing()[..], &[&self.package()]].concat());
    }

    pub(crate) fn attest(&self) {
        let what = ["attest", "--yes", "--key", "ours.key", "--predicate", "predicate.json", "--type", PREDICATE_TYPE];
        self.run(&[&what[..], &self.signing(), &[&self.package()]].concat());
    }

    /// Verifies a reference with our key or the other one; must succeed or must fail. Gives stdout.
    pub(crate) fn verify(&self, arguments: &[&str], key: &str, reference: &str, is_good: bool) -> String {
        verify(&self.home, self.client, arguments, key, reference, is_good)
    }

    /// Verifies signatures with both keys, and that an unsigned package does not pass.
    pub(crate) fn verifies_signatures(&self) {
        let package = self.package();
        self.verify(&["verify"], "ours.pub", &package, false);
        self.sign();
        let said = self.verify(&["verify"], "ours.pub", &package, true);
        let said: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(said[0]["critical"]["image"]["docker-manifest-digest"], self.digest.as_str(), "{said}");
        self.verify(&["verify"], "ours.pub", &format!("{}/{}:0.3.0", self.server.host(), Self::REPOSITORY), true);
        self.verify(&["verify"], "other.pub", &package, false);
    }

    /// Verifies attestations with both keys, and that another type does not pass.
    pub(crate) fn verifies_attestations(&self) {
        let (package, ours) = (self.package(), ["verify-attestation", "--type", PREDICATE_TYPE]);
        self.verify(&ours, "ours.pub", &package, false);
        self.attest();
        let said: Value = serde_json::from_str(&self.verify(&ours, "ours.pub", &package, true)).expect("JSON");
        let payload = STANDARD.decode(said["payload"].as_str().expect("a payload")).expect("base64");
        let statement: Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!(statement["predicate"]["verdict"], "good", "{statement}");
        assert_eq!(statement["subject"][0]["digest"]["sha256"], self.digest.trim_start_matches("sha256:"));
        self.verify(&ours, "other.pub", &package, false);
        let other = ["verify-attestation", "--type", "https://example.com/other"];
        self.verify(&other, "ours.pub", &package, false);
    }
}

/// Verifies with either version of cosign; without asking the internet, and without a log.
pub(crate) fn verify(home: &Home, client: &str, what: &[&str], key: &str, reference: &str, is_good: bool) -> String {
    let offline = ["--insecure-ignore-tlog", "--trusted-root", "root.json"];
    let arguments = [what, &offline, &["--key", key, reference]].concat();
    if is_good { home.ok(client, &arguments) } else { home.refused(client, &arguments).stdout }
}
