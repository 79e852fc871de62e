"""Headless. Measured and reference cases for ``twin validate``: one file per sort of case."""

from app.cases.contract import Case, CaseResult, cases, find_case

__all__ = ["Case", "CaseResult", "cases", "find_case"]
