"""How the models are made that Lookalike brings: `python -m services.embedder.training.bundled`."""
