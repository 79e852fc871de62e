"""Lets the compiler vectorise loops over many arrays: it may check at run time, once per row, that they are apart.

Without this it gives up beyond eight such checks, and the kernels of the wind run four times slower. Import this
module before the kernels are compiled. It changes no result.
"""

from __future__ import annotations

import llvmlite.binding as llvm

MOST_CHECKS = 400

llvm.set_option("twin", f"-runtime-memory-check-threshold={MOST_CHECKS}")
