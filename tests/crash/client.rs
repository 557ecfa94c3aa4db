//! A client that pushes artifacts of which no two are alike, and remembers what was acknowledged.

use agent_registry::oci::Digest;
use reqwest::{Client, Response, StatusCode};
use serde_json::json;

/// The media type of every manifest here.
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

/// A push that was answered with 201.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Acknowledged {
    pub(crate) repository: String,
    pub(crate) tag: String,
    pub(crate) digest: Digest,
}

/// A session whose first chunk was answered with 202.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    pub(crate) id: String,
    pub(crate) content: Vec<u8>,
    pub(crate) sent: usize,
}

/// One connection pool to one server.
#[derive(Clone)]
pub(crate) struct Pusher {
    pub(crate) client: Client,
    pub(crate) url: String,
}

/// How the layer of an artifact is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Whole,
    Chunks,
}

/// The connection broke, or the server is gone.
#[derive(Debug)]
pub(crate) struct Gone;

impl Pusher {
    pub(crate) fn new(url: &str) -> Self {
        Self { client: Client::builder().no_proxy().build().unwrap(), url: url.to_owned() }
    }

    /// Pushes a configuration, a layer and the manifest of both under a tag.
    pub(crate) async fn push(&self, repository: &str, tag: &str, layer: &[u8], way: Way) -> Result<Acknowledged, Gone> {
        let config = self.blob(repository, b"{}").await?;
        let digest = match way {
            Way::Whole => self.blob(repository, layer).await?,
            Way::Chunks => self.chunks(repository, layer).await?,
        };
        self.manifest(repository, tag, (&config, 2), (&digest, layer.len())).await
    }

    pub(crate) async fn blob(&self, repository: &str, content: &[u8]) -> Result<Digest, Gone> {
        let digest = Digest::sha256(content);
        let url = format!("{}/v2/{repository}/blobs/uploads/?digest={digest}", self.url);
        self.expect(self.client.post(url).body(content.to_vec()).send().await, StatusCode::CREATED).await?;
        Ok(digest)
    }

    /// Opens a session and sends its first half.
    pub(crate) async fn begin(&self, repository: &str, content: &[u8]) -> Result<Begun, Gone> {
        let url = format!("{}/v2/{repository}/blobs/uploads/", self.url);
        let opened = self.expect(self.client.post(url).send().await, StatusCode::ACCEPTED).await?;
        let id = opened.headers()["docker-upload-uuid"].to_str().unwrap().to_owned();
        let (sent, url) = (content.len() / 2, format!("{}/v2/{repository}/blobs/uploads/{id}", self.url));
        let half = self.client.patch(url).body(content[..sent].to_vec()).send().await;
        self.expect(half, StatusCode::ACCEPTED).await?;
        Ok(Begun { id, content: content.to_vec(), sent })
    }

    async fn chunks(&self, repository: &str, content: &[u8]) -> Result<Digest, Gone> {
        let begun = self.begin(repository, content).await?;
        let digest = Digest::sha256(content);
        let url = format!("{}/v2/{repository}/blobs/uploads/{}?digest={digest}", self.url, begun.id);
        let rest = self.client.put(url).body(content[begun.sent..].to_vec()).send().await;
        self.expect(rest, StatusCode::CREATED).await?;
        Ok(digest)
    }

    /// Puts a manifest that differs by its layer.
    pub(crate) async fn manifest(
        &self,
        repository: &str,
        tag: &str,
        (config, config_size): (&Digest, usize),
        (layer, layer_size): (&Digest, usize),
    ) -> Result<Acknowledged, Gone> {
        self.document(
            repository,
            tag,
            &json!({
                "schemaVersion": 2, "mediaType": IMAGE, "artifactType": "application/vnd.example.thing",
                "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": config_size},
                "layers": [{"mediaType": "application/octet-stream", "digest": layer, "size": layer_size}],
            }),
        )
        .await
    }

    /// Puts a manifest of nothing but the empty configuration, which the repository has; they differ by `note`.
    pub(crate) async fn note(&self, repository: &str, tag: &str, note: &str) -> Result<Acknowledged, Gone> {
        self.document(
            repository,
            tag,
            &json!({
                "schemaVersion": 2, "mediaType": IMAGE, "artifactType": "application/vnd.example.note",
                "config": {
                    "mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest::sha256(b"{}"), "size": 2,
                },
                "layers": [], "annotations": {"note": note},
            }),
        )
        .await
    }

    async fn document(&self, repository: &str, tag: &str, manifest: &serde_json::Value) -> Result<Acknowledged, Gone> {
        let bytes = serde_json::to_vec(manifest).unwrap();
        let digest = Digest::sha256(&bytes);
        let url = format!("{}/v2/{repository}/manifests/{tag}", self.url);
        let put = self.client.put(url).header("content-type", IMAGE).body(bytes).send().await;
        self.expect(put, StatusCode::CREATED).await?;
        Ok(Acknowledged { repository: repository.to_owned(), tag: tag.to_owned(), digest })
    }

    async fn expect(&self, sent: reqwest::Result<Response>, status: StatusCode) -> Result<Response, Gone> {
        let response = sent.map_err(|_| Gone)?;
        assert_eq!(response.status(), status, "{}", response.text().await.unwrap_or_default());
        Ok(response)
    }
}
