//! The beginning of the text that describes a package: what search reads of it.

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::index::documents::Readme;
use crate::oci::Digest;
use crate::package::{MAX_FRONT_MATTER_BYTES, without_front_matter};
use crate::search::MAX_README_BYTES;
use crate::storage::{self, BlobStore};

/// Bytes that are read of a file: past the front matter, and then some for what is left out of the text.
const MAX_READ_BYTES: usize = MAX_FRONT_MATTER_BYTES + 2 * MAX_README_BYTES;

/// The first [`MAX_README_BYTES`] of a description, without front matter and control characters, cut at a character;
/// Markdown stays as it is. Blocks; `runtime` reads what is in the store.
pub(super) fn beginning(readme: &Readme, store: &dyn BlobStore, runtime: &Handle) -> Result<String, storage::Error> {
    match readme {
        Readme::Inline(bytes) => Ok(text(bytes)),
        Readme::Stored(digest) => Ok(text(&runtime.block_on(read(store, digest))?)),
    }
}

async fn read(store: &dyn BlobStore, digest: &Digest) -> Result<Bytes, storage::Error> {
    let mut reader = store.open(digest).await?;
    let mut bytes = vec![];
    while bytes.len() < MAX_READ_BYTES
        && let Some(chunk) = reader.next_chunk().await?
    {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

fn text(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(MAX_READ_BYTES)];
    let all = String::from_utf8_lossy(bytes);
    let mut text = String::with_capacity(MAX_README_BYTES);
    for c in without_front_matter(&all).trim_start().chars() {
        if text.len() + c.len_utf8() > MAX_README_BYTES {
            break;
        }
        if c == '\n' || c == '\t' || !c.is_control() {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;
    use crate::oci::{Algorithm, UploadId};
    use crate::storage::MemoryStore;

    #[test]
    fn the_text_begins_after_the_front_matter_and_is_cut_at_a_character() {
        assert_eq!(text(b"---\nname: x\n---\n\n# Title\n**bold** <b>\n"), "# Title\n**bold** <b>\n");
        assert_eq!(text(b"---\nnever closed"), "---\nnever closed");
        assert_eq!(text("a\u{7}b\u{1b}[31mc\r\n\td\0".as_bytes()), "ab[31mc\n\td");
        assert_eq!(text(b"ok \xff\xfe"), "ok \u{fffd}\u{fffd}");
        let long = "ä".repeat(2 * MAX_README_BYTES);
        assert_eq!(text(long.as_bytes()), "ä".repeat(MAX_README_BYTES / 2));
        let odd = format!("x{long}");
        assert_eq!(text(odd.as_bytes()).len(), MAX_README_BYTES - 1);
        assert_eq!(text(b""), "");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_long_one_is_read_from_the_store_and_not_to_its_end() {
        let store = MemoryStore::new(None);
        let content = format!("---\nx: {}\n---\nbegins here {}", "y".repeat(60_000), "z".repeat(3_000_000));
        let digest = Digest::sha256(content.as_bytes());
        let mut writer = store.begin(UploadId::random(), Algorithm::Sha256).await.unwrap();
        writer.write(content.clone().into()).await.unwrap();
        writer.commit(&digest).await.unwrap();
        let runtime = Handle::current();
        let read = tokio::task::spawn_blocking(move || {
            let stored = beginning(&Readme::Stored(digest), &store, &runtime).unwrap();
            let missing = Readme::Stored(Digest::sha256(b"none"));
            (stored, beginning(&missing, &store, &runtime).is_err())
        });
        let (stored, is_missing) = read.await.unwrap();
        assert!(stored.starts_with("begins here zzz") && stored.len() == MAX_README_BYTES && is_missing);
    }
}
