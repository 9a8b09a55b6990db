"""The one door: HTTP API and shop window."""
