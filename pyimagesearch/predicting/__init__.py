"""What trained models say of single images: reading them, the probabilities, and ways to show these."""
