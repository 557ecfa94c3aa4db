-- The first schema. Digests are bytes (algorithm, raw hash), times milliseconds since 1970, names sort bytewise.
-- An index by digest costs every push a page of its own, written twice: there is none that no statement needs.

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

-- Which repository may read which blob: knowing a digest is no right to it. By digest first, so that one order answers
-- both questions: whether a repository has a blob, and who has it.
CREATE TABLE repository_blob (
    repository_id INTEGER NOT NULL,
    digest        BLOB    NOT NULL REFERENCES blob (digest),
    leased_until  INTEGER NOT NULL,
    PRIMARY KEY (digest, repository_id)
) STRICT, WITHOUT ROWID;

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
CREATE INDEX upload_owner ON upload (owner);

-- What a manifest points at; kind: 1 config, 2 layer, 3 child, 4 subject.
CREATE TABLE edge (
    manifest_id INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    digest      BLOB    NOT NULL,
    PRIMARY KEY (manifest_id, position)
) STRICT, WITHOUT ROWID;

-- Manifests about another one, which need not exist; the descriptor is ready to be served.
CREATE TABLE referrer (
    repository_id INTEGER NOT NULL,
    subject       BLOB    NOT NULL,
    digest        BLOB    NOT NULL,
    artifact_type TEXT,
    descriptor    BLOB    NOT NULL,
    PRIMARY KEY (repository_id, subject, digest)
) STRICT, WITHOUT ROWID;

-- What a manifest says if it is a package: ready to be listed, and its facets one by one.
CREATE TABLE package (
    manifest_id INTEGER PRIMARY KEY REFERENCES manifest (id),
    summary     BLOB    NOT NULL,
    size        INTEGER NOT NULL,
    checked     INTEGER NOT NULL,
    license     TEXT
) STRICT;

CREATE TABLE package_facet (
    manifest_id INTEGER NOT NULL REFERENCES package (manifest_id),
    facet       TEXT    NOT NULL,
    value       TEXT    NOT NULL,
    PRIMARY KEY (manifest_id, facet, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX package_facet_value ON package_facet (facet, value);

-- sort_key orders versions bytewise, so that a range is one index scan. The one row of a repository without a version
-- is what its other tags point at, where no version is that package already.
CREATE TABLE version (
    id            INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repository (id),
    version       TEXT,
    sort_key      BLOB    NOT NULL,
    prerelease    INTEGER NOT NULL,
    manifest_id   INTEGER NOT NULL REFERENCES package (manifest_id),
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    UNIQUE (repository_id, sort_key)
) STRICT;
CREATE INDEX version_manifest ON version (manifest_id);
-- What stands for a repository is the first entry here.
CREATE INDEX version_head ON version (repository_id, prerelease, sort_key DESC);

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
