"""HDF5 files of other programs: what lies where in them, and how their rows are read.

`recognition.plan_file` turns a file into a plan: `opening` says whether it is HDF5, `listing` lists its datasets,
`layouts`, `members` and `labels` find those of images, labels, names and paths, `axes` and `pixels` what their values
mean. `rows.PlannedRows` and `labels.read_labels` read by the `plan.Plan`.
"""
