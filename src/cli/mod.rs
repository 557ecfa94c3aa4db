//! The command: one file a verb, a printer, and errors with exit codes.
