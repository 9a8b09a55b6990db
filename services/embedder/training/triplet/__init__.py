"""A network taught by which photos are nearer, mined from their groups or told in a file."""
