"""Sources that cannot be cut by byte range, written once as BSON that can."""
