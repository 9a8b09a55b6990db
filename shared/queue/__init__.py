"""The doorbell: it costs time when it fails, never correctness."""
