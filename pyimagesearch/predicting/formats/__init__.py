"""Predictions as text."""

from pyimagesearch.predicting.formats.csvtable import CsvTable
from pyimagesearch.predicting.formats.jsonlist import JsonList
from pyimagesearch.predicting.formats.submission import Submission
from pyimagesearch.predicting.formats.table import Table
from pyimagesearch.predicting.formats.textformat import TextFormat

FORMATS: dict[str, type[TextFormat]] = {"table": Table, "json": JsonList, "csv": CsvTable, "kaggle": Submission}
