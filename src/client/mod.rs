//! An agent's way to and from a registry: push, pull, the local store and the cache.
