"""What bodies look like, both ways; every schema has an example."""
