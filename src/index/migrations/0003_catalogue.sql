-- The catalogue: what is said of versions, how often they are pulled, what users think of packages.

-- Search counts facets by itself.
DROP TABLE package_facet;

-- rank: 0 stable, 1 no version, 2 pre-release; 4 more for one that is yanked. What stands for a repository is the first
-- entry of version_head that is below 4.
ALTER TABLE version RENAME COLUMN prerelease TO rank;

-- Whether something is said of all of a package, or of a version that the manifest is: what a pull has to look at.
ALTER TABLE repository ADD COLUMN notice INTEGER NOT NULL DEFAULT 0;
ALTER TABLE manifest ADD COLUMN notice INTEGER NOT NULL DEFAULT 0;

-- kind: 1 yanked, 2 deprecated. sort_key is a version's, or empty for all of the package.
CREATE TABLE notice (
    repository_id INTEGER NOT NULL REFERENCES repository (id),
    sort_key      BLOB    NOT NULL,
    kind          INTEGER NOT NULL,
    message       TEXT    NOT NULL,
    superseded_by TEXT,
    actor         TEXT    NOT NULL,
    at            INTEGER NOT NULL,
    PRIMARY KEY (repository_id, sort_key, kind)
) STRICT, WITHOUT ROWID;

-- Pulls of manifests, by days since 1970.
CREATE TABLE download (
    manifest_id INTEGER NOT NULL REFERENCES manifest (id),
    day         INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    PRIMARY KEY (manifest_id, day)
) STRICT, WITHOUT ROWID;

-- Sums over a repository: pulls, also of manifests that are gone; ratings and their stars.
CREATE TABLE standing (
    repository_id INTEGER PRIMARY KEY REFERENCES repository (id),
    downloads     INTEGER NOT NULL DEFAULT 0,
    ratings       INTEGER NOT NULL DEFAULT 0,
    stars         INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE rating (
    repository_id INTEGER NOT NULL REFERENCES repository (id),
    account_id    INTEGER NOT NULL REFERENCES account (id),
    stars         INTEGER NOT NULL,
    comment       TEXT,
    rated_at      INTEGER NOT NULL,
    PRIMARY KEY (repository_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX rating_account ON rating (account_id, repository_id);

-- What more there is to say of an event.
ALTER TABLE event ADD COLUMN detail TEXT;

-- Every event up to this number may be gone.
CREATE TABLE event_floor (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    value INTEGER NOT NULL
) STRICT;
INSERT INTO event_floor (id, value) VALUES (1, 0);
