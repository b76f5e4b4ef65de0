"""Networks, their files, and the use of trained ones."""
