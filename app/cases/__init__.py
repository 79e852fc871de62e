"""Measured and reference cases for ``twin validate``: one file per sort of case."""
