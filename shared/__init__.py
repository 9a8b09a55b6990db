"""What the services have in common: the vocabulary, the ports and their adapters."""
