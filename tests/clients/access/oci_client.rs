//! The Rust library `oci-client`: a program that shows name and token for each repository.

use std::sync::OnceLock;

use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};
use tokio::runtime::Runtime;

use super::{Column, Row, TAG, Tool, spoken};
use crate::home::Home;
use crate::http::OCI_MANIFEST;
use crate::image::Image;
use crate::programs::Said;

const TOOL: Tool = Tool {
    log_in: |home, _, user, token| {
        home.write("credentials", format!("{user}:{token}"));
        Said { success: true, stdout: String::new(), stderr: String::new() }
    },
    pull: |home, host, repository| {
        let (auth, from) = (auth(home), reference(host, repository));
        let types = vec!["application/vnd.oci.image.layer.v1.tar+gzip"];
        said(client().pull(&from, &auth, types), |pulled| pulled.digest.unwrap_or_default())
    },
    push: |home, host, repository| {
        let (auth, to) = (auth(home), reference(host, repository));
        let layers = [ImageLayer::oci_v1(Image::large().layer, None)];
        let config = Config::oci_v1(b"{}".to_vec(), None);
        said(client().push(&to, &layers, config, &auth, None), |pushed| pushed.manifest_url)
    },
    copy: |home, host, from, to| {
        let (auth, from, to) = (auth(home), reference(host, from), reference(host, to));
        said(mount(&auth, &from, &to), |()| String::new())
    },
    list: |home, host| {
        let (auth, any) = (auth(home), reference(host, "any"));
        said(client().catalog(&any, &auth, None, None), |list| list.repositories.join("\n"))
    },
    ..Tool::NONE
};

pub(super) static COLUMN: Column = Column {
    name: "oci-client",
    tool: TOOL,
    refused: &[
        (Row::AnonymousPrivatePull, "Not authorized"),
        (Row::WrongToken, "Not authorized"),
        (Row::ReadTokenPushing, "DENIED"),
        (Row::Mount, "the token does not reach the repository that the blob would come from"),
        (Row::Catalogue, "Not authorized"),
        (Row::AnonymousCatalogue, "Not authorized"),
    ],
    lacks: &[("there is no call for it", &[Row::DeleteByWriter, Row::Delete])],
    notes: &[
        (Row::Mount, "it asks for a token for the target only"),
        (Row::Catalogue, "it asks for a token for one repository only"),
    ],
    outcomes: OnceLock::new(),
};

fn client() -> Client {
    Client::new(ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() })
}

/// What the program has kept.
fn auth(home: &Home) -> RegistryAuth {
    let Ok(kept) = std::fs::read_to_string(home.path("credentials")) else { return RegistryAuth::Anonymous };
    let (user, token) = kept.split_once(':').expect("a name and a token");
    RegistryAuth::Basic(user.to_owned(), token.to_owned())
}

fn reference(host: &str, repository: &str) -> Reference {
    format!("{host}/{repository}:{TAG}").parse().expect("a reference")
}

fn said<T>(call: impl Future<Output = Result<T, OciDistributionError>>, stdout: impl FnOnce(T) -> String) -> Said {
    spoken(Runtime::new().expect("a runtime").block_on(call), stdout)
}

/// Copies an image by mounting what it needs.
async fn mount(auth: &RegistryAuth, from: &Reference, to: &Reference) -> Result<(), OciDistributionError> {
    let client = client();
    let (manifest, _) = client.pull_manifest_raw(from, auth, &[OCI_MANIFEST]).await?;
    let parsed: oci_client::manifest::OciImageManifest = serde_json::from_slice(&manifest)?;
    client.auth(to, auth, RegistryOperation::Push).await?;
    for part in parsed.layers.iter().chain([&parsed.config]) {
        client.mount_blob(to, from, &part.digest).await?;
    }
    let media_type = OCI_MANIFEST.parse().expect("a media type");
    client.push_manifest_raw(to, manifest.to_vec(), media_type).await?;
    Ok(())
}

#[test]
fn every_row_is_as_the_table_says() {
    COLUMN.assert();
}
