"""The console script: window or command line. Imports Qt only for the window."""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Run the program with these arguments and return its exit code."""
    from app.cli import run_command_line

    return run_command_line(sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
