"""The first file of the bundle: the program, or the part of it that a child process is started for.

The program starts children as ``python -m module arguments`` or ``python -c code``. In a bundle there is no
``python``: `sys.executable` is the bundle itself, so it answers to these two as Python does.
"""

from __future__ import annotations

import runpy
import sys


def run() -> int:
    """Run what the arguments ask for and return the exit code."""
    match sys.argv[1:]:
        case ["-m", module, *arguments]:
            sys.argv = [module, *arguments]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
            return 0
        case ["-c", code, *arguments]:
            sys.argv = ["-c", *arguments]
            exec(code, {"__name__": "__main__"})  # noqa: S102 - as Python does
            return 0
    from app.__main__ import main

    return main()


if __name__ == "__main__":
    raise SystemExit(run())
