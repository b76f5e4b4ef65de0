"""A look at labelled images before anything is trained on them: figures, oddities, pictures."""
