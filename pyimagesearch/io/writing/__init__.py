"""The unfinished file: its structure, its columns, the checks of what is written."""
