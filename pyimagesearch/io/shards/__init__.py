"""Data sets in several files that read as one."""
