"""The catalogue in one SQLite file: WAL, one writer with group commit, readers that never wait."""
