"""Batches: the order of an epoch, randomness, the chain of preprocessors, buffers, the loader."""
