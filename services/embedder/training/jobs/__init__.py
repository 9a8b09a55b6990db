"""Trainings from the queue: claimed by one worker, done in a process each, gone on with elsewhere."""
