"""Images from any storage that fsspec reads."""
