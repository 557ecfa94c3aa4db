-- People: who there is, who belongs where, what is granted to whom, with which credentials, and what was decided.

-- Users and organisations share one space of names. A removed account keeps its name until that is freed; rows stay, so
-- that whatever hangs on an account's number never comes to hang on the next account of its name.
-- kind: 1 user, 2 organisation; visibility here and below: 1 private, 2 organisation, 3 public.
CREATE TABLE account (
    id                 INTEGER PRIMARY KEY,
    name               TEXT    NOT NULL,
    kind               INTEGER NOT NULL,
    is_administrator   INTEGER NOT NULL,
    default_visibility INTEGER NOT NULL,
    password           TEXT,
    password_at        INTEGER,
    created_at         INTEGER NOT NULL,
    removed_at         INTEGER,
    freed_at           INTEGER
) STRICT;
CREATE UNIQUE INDEX account_name ON account (name) WHERE freed_at IS NULL;
CREATE INDEX account_kind ON account (kind, name) WHERE removed_at IS NULL;
CREATE INDEX account_administrator ON account (id) WHERE is_administrator = 1 AND removed_at IS NULL;

-- role: 1 member, 2 owner.
CREATE TABLE member (
    organisation_id INTEGER NOT NULL REFERENCES account (id),
    user_id         INTEGER NOT NULL REFERENCES account (id),
    role            INTEGER NOT NULL,
    since           INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_user ON member (user_id, role, organisation_id);
CREATE INDEX member_role ON member (organisation_id, role, user_id);

-- role: what its members may do to every repository of the organisation; 1 read, 2 write, 3 admin.
CREATE TABLE team (
    id              INTEGER PRIMARY KEY,
    organisation_id INTEGER NOT NULL REFERENCES account (id),
    name            TEXT    NOT NULL,
    role            INTEGER,
    created_at      INTEGER NOT NULL,
    removed_at      INTEGER
) STRICT;
CREATE UNIQUE INDEX team_name ON team (organisation_id, name) WHERE removed_at IS NULL;

CREATE TABLE team_member (
    team_id INTEGER NOT NULL REFERENCES team (id),
    user_id INTEGER NOT NULL REFERENCES account (id),
    since   INTEGER NOT NULL,
    PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_member_user ON team_member (user_id, team_id);

-- The first component of the name, whose account owns it; empty where there is only one component.
ALTER TABLE repository ADD COLUMN namespace TEXT NOT NULL DEFAULT '';
UPDATE repository SET namespace = substr(name, 1, instr(name, '/') - 1) WHERE instr(name, '/') > 0;
ALTER TABLE repository ADD COLUMN visibility INTEGER NOT NULL DEFAULT 1;

-- grantee_kind: 1 account, 2 team; level: 1 read, 2 write, 3 admin.
CREATE TABLE access_grant (
    repository_id INTEGER NOT NULL REFERENCES repository (id),
    grantee_kind  INTEGER NOT NULL,
    grantee_id    INTEGER NOT NULL,
    level         INTEGER NOT NULL,
    granted_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    PRIMARY KEY (repository_id, grantee_kind, grantee_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX access_grant_grantee ON access_grant (grantee_kind, grantee_id, repository_id, expires_at);

-- Credentials with many random bits, by SHA-256 of their text; kind: 1 access, 2 refresh. One that was made with
-- another (parent_id) ends with it. patterns: one a line. It is an account's or a publisher's; the latter may be gone.
CREATE TABLE access_token (
    id           INTEGER PRIMARY KEY,
    account_id   INTEGER REFERENCES account (id),
    kind         INTEGER NOT NULL,
    hash         BLOB    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    scopes       TEXT    NOT NULL,
    patterns     TEXT    NOT NULL,
    parent_id    INTEGER REFERENCES access_token (id),
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER,
    revoked_at   INTEGER,
    publisher_id INTEGER,
    CHECK ((account_id IS NULL) <> (publisher_id IS NULL))
) STRICT;
CREATE INDEX access_token_publisher ON access_token (expires_at) WHERE publisher_id IS NOT NULL;
CREATE INDEX access_token_account ON access_token (account_id, kind, id);

-- Keys that sign short tokens; the one that is not retired signs, retired ones still verify for a while.
CREATE TABLE signing_key (
    kid        TEXT    NOT NULL PRIMARY KEY,
    private    BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER
) STRICT;

-- What holds for tags of a repository, in the order in which it was written.
CREATE TABLE tag_rule (
    repository_id INTEGER NOT NULL REFERENCES repository (id),
    position      INTEGER NOT NULL,
    rule          BLOB    NOT NULL,
    PRIMARY KEY (repository_id, position)
) STRICT, WITHOUT ROWID;

-- Who may publish without a stored secret. The repository is named, since it need not exist yet; selector is the claim
-- by which a presented identity finds it.
CREATE TABLE publisher (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    repository   TEXT    NOT NULL,
    issuer       TEXT    NOT NULL,
    selector     TEXT    NOT NULL,
    rule         BLOB    NOT NULL,
    created_by   TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;
CREATE INDEX publisher_repository ON publisher (repository, id);
CREATE INDEX publisher_selector ON publisher (issuer, selector, id);

-- Identities that were exchanged already, by SHA-256, until nobody would accept them anyway.
CREATE TABLE used_assertion (
    hash       BLOB    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_assertion_expiry ON used_assertion (expires_at);

-- Identities at an issuer elsewhere that sign a user in.
CREATE TABLE user_identity (
    issuer     TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    account_id INTEGER NOT NULL REFERENCES account (id),
    linked_at  INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_identity_account ON user_identity (account_id, issuer, subject);

-- Moves with everything above that a decision is made from; whatever was remembered at another value is forgotten.
CREATE TABLE access_generation (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    value INTEGER NOT NULL
) STRICT;
INSERT INTO access_generation (id, value) VALUES (1, 1);

-- What was decided: outcome 1 allowed, 2 denied.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    credential TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    object     TEXT    NOT NULL,
    rule       TEXT    NOT NULL,
    outcome    INTEGER NOT NULL,
    address    TEXT,
    request    TEXT
) STRICT;
CREATE INDEX audit_actor ON audit (actor, id);
CREATE INDEX audit_action ON audit (action, id);
