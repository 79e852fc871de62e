"""Runs every bench in this folder: ``python -m tests.bench [NAME...] [--quick]``.

A bench is a module ``bench_<name>.py`` with ``main(quick: bool) -> None`` that prints its figures as ratios to a
peer or to the machine's limit measured in the same run. Nothing here is a test: no figure makes it fail.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from pathlib import Path


def main() -> None:
    """Run the benches that were named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which benches; all by default")
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    arguments = parser.parse_args()
    known = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    unknown = set(arguments.names) - set(known)
    if unknown:
        sys.exit(f"no bench called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for name in arguments.names or known:
        print(f"\n== {name}")
        importlib.import_module(f"tests.bench.bench_{name}").main(quick=arguments.quick)


if __name__ == "__main__":
    main()
