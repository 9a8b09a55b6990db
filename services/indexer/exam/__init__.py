"""The exam: what a model's vectors are good for, asked of a shop's own photos."""
