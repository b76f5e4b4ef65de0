"""Classical learning on feature vectors, with scikit-learn."""
