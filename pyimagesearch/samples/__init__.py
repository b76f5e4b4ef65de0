"""Sample data that is painted rather than downloaded."""
