"""How processes of this house talk over HTTP: one thread asks many, a bounded pool answers."""
