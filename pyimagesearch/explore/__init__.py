"""Explore labelled images before training: figures, unusual files, duplicates, pictures."""
