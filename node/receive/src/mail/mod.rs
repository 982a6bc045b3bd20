//! One mail on its way in: its header is gathered, its octets go to the documents, its hashes run along.

pub(crate) mod body_hash;
pub(crate) mod header;
pub(crate) mod incoming;
