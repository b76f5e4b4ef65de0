"""Images become feature vectors: a network, the extraction, the feature file."""
