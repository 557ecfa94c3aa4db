//! Transports over the registry: the distribution API, the REST API, configuration and logs.
