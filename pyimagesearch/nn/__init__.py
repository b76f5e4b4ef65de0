"""Networks, their files, and what is done with trained ones."""
