"""Settings of the projects, one module each."""
