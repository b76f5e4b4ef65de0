"""Image files become train, val and test files: scan, find duplicates, split, pack."""
