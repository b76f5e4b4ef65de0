"""The Dogs vs. Cats project: one script a step, in the order of the chapter."""
