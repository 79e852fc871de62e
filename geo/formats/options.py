"""What a reader lets one choose beyond what all readers do: the base of its options, checked by Pydantic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class FormatOptions(BaseModel):
    """Base of the options a reader understands beyond the common ones (``--set name=value``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def opens(self, path: Path) -> Sequence[Path]:
        """Other files that reading `path` with these options opens; a cached copy counts while they are unchanged."""
        return ()
