"""Speed, size and memory against the alternatives: ``python -m benchmarks`` runs every question."""
