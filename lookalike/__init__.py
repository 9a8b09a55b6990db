"""What a person touches: the command, the Python client, the all-in-one launcher."""
