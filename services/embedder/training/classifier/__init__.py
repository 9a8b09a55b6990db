"""A model taught by the categories of photos, and judged by products that it never saw."""
