"""Training on several devices of a machine, or of several machines ("hosts"), that share every batch."""
