"""What every process does alike: settings, logs, problems, health."""
