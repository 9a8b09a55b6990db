"""A model adapted to a shop in closed form: better where there is something to gain, else nothing."""
