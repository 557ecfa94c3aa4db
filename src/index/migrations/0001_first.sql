-- The first schema. Digests are bytes (algorithm, raw hash), times milliseconds since 1970, names sort bytewise.

CREATE TABLE repository (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE manifest (
    id            INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repository (id),
    digest        BLOB    NOT NULL,
    media_type    TEXT    NOT NULL,
    artifact_type TEXT,
    content_bytes INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    bytes         BLOB    NOT NULL,
    UNIQUE (repository_id, digest)
) STRICT;

-- The foreign key is what makes a dangling tag impossible.
CREATE TABLE tag (
    repository_id INTEGER NOT NULL,
    name          TEXT    NOT NULL,
    manifest_id   INTEGER NOT NULL REFERENCES manifest (id),
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (repository_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_manifest ON tag (manifest_id);

-- Where each tag has pointed; no digest: it was deleted.
CREATE TABLE tag_event (
    id            INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL,
    name          TEXT    NOT NULL,
    digest        BLOB,
    actor         TEXT    NOT NULL,
    at            INTEGER NOT NULL
) STRICT;
CREATE INDEX tag_event_name ON tag_event (repository_id, name, id);

-- Known content; small blobs carry their bytes, the others are files.
CREATE TABLE blob (
    digest       BLOB    NOT NULL PRIMARY KEY,
    size         INTEGER NOT NULL,
    condemned_at INTEGER,
    created_at   INTEGER NOT NULL,
    bytes        BLOB
) STRICT;

-- Which repository may read which blob: knowing a digest is no right to it.
CREATE TABLE repository_blob (
    repository_id INTEGER NOT NULL,
    digest        BLOB    NOT NULL REFERENCES blob (digest),
    leased_until  INTEGER NOT NULL,
    PRIMARY KEY (repository_id, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX repository_blob_digest ON repository_blob (digest);

CREATE TABLE upload (
    id            TEXT    NOT NULL PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repository (id),
    owner         TEXT    NOT NULL,
    offset_bytes  INTEGER NOT NULL,
    algorithm     TEXT    NOT NULL,
    hash_state    BLOB    NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_expiry ON upload (expires_at);

-- What a manifest points at; kind: 1 config, 2 layer, 3 child, 4 subject.
CREATE TABLE edge (
    manifest_id INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    digest      BLOB    NOT NULL,
    PRIMARY KEY (manifest_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX edge_digest ON edge (digest);

-- Manifests about another one, which need not exist; the descriptor is ready to be served.
CREATE TABLE referrer (
    repository_id INTEGER NOT NULL,
    subject       BLOB    NOT NULL,
    digest        BLOB    NOT NULL,
    artifact_type TEXT,
    descriptor    BLOB    NOT NULL,
    PRIMARY KEY (repository_id, subject, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE package (
    repository_id INTEGER PRIMARY KEY REFERENCES repository (id),
    display_name  TEXT,
    description   TEXT,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;

-- sort_key orders versions bytewise, so that a range is one index scan.
CREATE TABLE version (
    id            INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repository (id),
    version       TEXT    NOT NULL,
    sort_key      BLOB    NOT NULL,
    prerelease    INTEGER NOT NULL,
    yanked        INTEGER NOT NULL,
    digest        BLOB    NOT NULL,
    model         TEXT,
    runtime       TEXT,
    license       TEXT,
    created_at    INTEGER NOT NULL,
    UNIQUE (repository_id, version)
) STRICT;
CREATE INDEX version_order ON version (repository_id, sort_key);

CREATE TABLE version_facet (
    version_id INTEGER NOT NULL REFERENCES version (id),
    facet      TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    PRIMARY KEY (version_id, facet, value)
) STRICT, WITHOUT ROWID;

-- What happened, in the order of commit; numbers are never used twice, since readers resume from them.
CREATE TABLE event (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL,
    repository TEXT    NOT NULL,
    digest     BLOB,
    tag        TEXT,
    actor      TEXT    NOT NULL,
    at         INTEGER NOT NULL
) STRICT;
