"""The command `lookalike`: one module per sub-command, three-line commands over functions."""
