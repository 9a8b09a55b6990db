"""Picture bytes and index files, written once."""
