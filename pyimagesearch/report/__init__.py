"""The page that shows a whole run: made from the run record, and from the images that it names."""
