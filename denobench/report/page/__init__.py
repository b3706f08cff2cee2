"""The page of a report, one file."""
