"""The catalogue on a MongoDB server: guarded updates of single documents, and no transactions."""
