"""Picture to vectors."""
