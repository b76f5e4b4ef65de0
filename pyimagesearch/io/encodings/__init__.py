"""Encodings of rows: each file holds the writing and the reading half of one."""
