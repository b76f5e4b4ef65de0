"""HDF5 files of other programs: what lies where in them, and how their rows are read.

The way of a file, which `planning.plan_file` goes: `identity.what_is` says whether it is HDF5, `listing.read_listing`
lists its datasets, `recognition.recognise` turns the list and what the user told into a plan, `rows.look` reads a few
rows to settle what becomes of the values. Then `rows.PlannedRows` and `labels.read_labels` read by the plan.
"""
