"""Tutorials, one short script each: ``python -m examples.mnist``. docs/tutorials.md has their results."""
