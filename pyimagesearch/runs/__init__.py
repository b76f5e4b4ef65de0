"""Run records: what each script did, with what, on what, and what came of it (see docs/run_record.md)."""
