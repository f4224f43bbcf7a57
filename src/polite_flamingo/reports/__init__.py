"""The report: figures from plain numbers, and one self-contained HTML page."""
