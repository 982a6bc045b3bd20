//! Records and documents on disk: the store's seam, SQLite, memory, document files.
