"""The check list: what the program can tell of a plan, and what people have to answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analysis.cctv.privacy import CameraPrivacy
from analysis.cctv.privacy_rules import Check, privacy_rules
from analysis.cctv.private import Private

ANSWERS = ("kept", "broken", "cannot_tell", "to_be_answered", "answered")
KEPT, BROKEN, CANNOT_TELL, TO_BE_ANSWERED, ANSWERED = ANSWERS


class Answer(NamedTuple):
    """One line with its answer.

    Attributes
    ----------
    check : Check
    answer : str
        One of `ANSWERS`.
    reason : str
        Id of the reason (``cctv.privacy.reason.<id>`` in the translations).
    number : int
        Cameras, things or masks that the reason speaks of.
    """

    check: Check
    answer: str
    reason: str
    number: int = 0


def answers(plan: Sequence[CameraPrivacy], private: Private, *, purpose: str, rooms_known: bool) -> tuple[Answer, ...]:
    """The list for a plan."""
    return tuple(_answer(check, plan, private, purpose, rooms_known) for check in privacy_rules().checks)


def _answer(check: Check, plan: Sequence[CameraPrivacy], private: Private, purpose: str, rooms_known: bool) -> Answer:
    if check.id == "purpose" and purpose != "unanswered":
        return Answer(check, ANSWERED, f"purpose_{purpose}")
    if check.id == "no_private_rooms":
        cameras = sum(bool(private.hard[one.seen.item].any()) for one in plan)
        if cameras:
            return Answer(check, BROKEN, "hard_seen", cameras)
        return Answer(check, KEPT, "hard_unseen") if rooms_known else Answer(check, CANNOT_TELL, "rooms_unknown")
    if check.id == "no_other_place":
        turning = [one.camera for one in plan if one.camera.model.kind == "ptz"]
        loose = sum(not camera.presets for camera in turning)
        if loose:
            return Answer(check, CANNOT_TELL, "no_presets", loose)
        return Answer(check, TO_BE_ANSWERED, "presets_declared" if turning else "all_fixed", len(turning))
    if check.id == "dwellings_masked":
        return _masked(check, plan, private)
    return Answer(check, TO_BE_ANSWERED, "people")


def _masked(check: Check, plan: Sequence[CameraPrivacy], private: Private) -> Answer:
    """Whether masks hide all that may be masked."""
    bare = sum(int((~one.seen.hidden & ~private.hard[one.seen.item]).sum()) for one in plan)
    if bare:
        return Answer(check, BROKEN, "not_hidden", bare)
    count = sum(one.mask_count for one in plan)
    if len(private) == 0:
        return Answer(check, CANNOT_TELL, "nothing_private")
    return Answer(check, KEPT, "masks" if count else "nothing_seen", count)


def hard_violations(plan: Sequence[CameraPrivacy], private: Private) -> list[tuple[str, int]]:
    """Cameras that see a bath, toilet or changing room, and the row of each."""
    return [(one.camera.id, int(row)) for one in plan for row in one.seen.item[np.asarray(private.hard[one.seen.item])]]
