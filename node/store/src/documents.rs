//! Documents: written as they arrive, sealed, read from any offset, deleted.
