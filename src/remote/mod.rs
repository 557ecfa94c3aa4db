//! One registry over HTTP: challenge, credentials by exact origin, the verbs of the distribution API, retries.
