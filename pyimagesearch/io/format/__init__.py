"""The HDF5 file format: names, headers, and what is refused."""
