"""Reading rows by number, their columns and their checksums."""
