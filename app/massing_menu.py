"""What a user can ask for about new masses besides drawing and moving them: rows of the table of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.action_spec import ActionSpec

if TYPE_CHECKING:
    from app.main_window import MainWindow


def _can_copy(window: MainWindow) -> bool:
    return window.masses.active or window.masses.target() is not None


def _place_proposal(window: MainWindow) -> None:
    from app.proposal_actions import proposals_of

    proposals_of(window).ask_file()


def _can_edit(window: MainWindow) -> bool:
    return window.masses.own_mass() is not None or window.masses.own_proposal() is not None


def _has_scene(window: MainWindow) -> bool:
    return len(window.document.scene) > 0


def _plant(window: MainWindow) -> None:
    from app.massing_trees import ask_tree

    ask_tree(window)


def _remove_trees(window: MainWindow) -> None:
    from app.massing_trees import remove_selected_trees

    remove_selected_trees(window)


def _has_trees(window: MainWindow) -> bool:
    from app.massing_trees import selected_trees

    return bool(selected_trees(window.document))


MASSING_ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("mass_copy", lambda w: w.masses.copy(), "", "Ctrl+D", _can_copy),
    ActionSpec("mass_edit", lambda w: w.masses.edit(), "rename", "Shift+F2", _can_edit),
    ActionSpec("proposal_place", _place_proposal, "import", "", _has_scene),
    ActionSpec("tree_plant", _plant, "", "", _has_scene),
    ActionSpec("tree_remove", _remove_trees, "remove", "Delete", _has_trees),
)
MASSING_ENTRIES = ("mass_copy", "mass_edit", "proposal_place", None, "tree_plant", "tree_remove")
