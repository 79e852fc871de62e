"""Placing a building model in the window: the dialog, the clicks in the picture, the step, the copy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog

from app.importer import terrain_of
from app.jobs import run_program
from app.language import language, tr
from app.place_dialog import PlaceDialog
from app.placing import model_layers, place_model
from geo.model import Feedback, Layer, UserError
from geo.pose import Pose, pose_of, two_point_pose

if TYPE_CHECKING:
    from app.main_window import MainWindow

CLICKS = ("model_1", "map_1", "model_2", "map_2")
LARGE_MISFIT = 0.3  # [m]


class PlaceActions(QObject):
    """What the action "place model" does."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.bench, self.document = window, window.bench, window.document
        self.dialog: PlaceDialog | None = None
        self._layer_id = ""
        self._clicked: list[np.ndarray] = []

    def selected_model(self) -> list[Layer]:
        """The layers of the model that is selected, empty without one that can be placed."""
        layers = tuple(self.document.scene)
        for layer_id in self.document.selection.by_layer:
            layer = self.document.scene.get(layer_id)
            if layer is not None and layer.source.path:
                mine = model_layers(layers, layer)
                if pose_of(mine) is not None:
                    return mine
        return []

    def open(self) -> None:
        """Show the dialog for the selected model."""
        model = self.selected_model()
        known = pose_of(model)
        if known is None:
            return
        pose, said = known
        if self.dialog is not None:
            self.dialog.reject()
        self._layer_id = model[0].id
        level = tr("place.said", level=said["level"], source=tr(f"place.source.{said['source']}", str(said["source"])))
        self.dialog = PlaceDialog(Path(model[0].source.path).name, pose, level, parent=self.window)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.applied.connect(self.apply)
        self.dialog.points_asked.connect(self.ask_points)
        self.dialog.ground_asked.connect(self.put_on_ground)
        self.dialog.copy_asked.connect(self.ask_copy)
        self.dialog.finished.connect(self._on_closed)
        self.dialog.show()

    def _on_closed(self, _result: int) -> None:
        self.dialog = None
        self.window.viewport.stop_drawing()

    def _model(self) -> list[Layer]:
        layer = self.document.scene.get(self._layer_id)
        return [] if layer is None else model_layers(tuple(self.document.scene), layer)

    def apply(self, pose: Pose) -> None:
        """Move the model as one step."""
        frame, model = self.document.scene.frame, self._model()
        if frame is None or not model or self.dialog is None:
            return
        layers, make_room = tuple(self.document.scene), self.dialog.make_room.isChecked()
        self.bench.jobs.submit(
            lambda _feedback: place_model(model, layers, pose, frame, make_room=make_room),
            title=tr("job.place"),
            key="place",
            brings=True,
            done=self._moved,
        )

    def _moved(self, answer: tuple[Any, int]) -> None:
        step, hidden = answer
        if self.bench.do(step) and self.dialog is not None:
            self.dialog.tell(tr("place.moved", count=hidden))

    def put_on_ground(self) -> None:
        """Height of the terrain under the model's zero point."""
        frame, ground = self.document.scene.frame, terrain_of(tuple(self.document.scene))
        if frame is None or self.dialog is None:
            return
        pose = self.dialog.pose
        x, y, _ = pose.local(frame)
        height = float(ground.sample(x, y)) if ground is not None else np.nan
        if not np.isfinite(height):
            self.dialog.tell(tr("place.no_ground"))
            return
        self.dialog.show_pose(Pose(pose.east, pose.north, height + frame.origin[2], pose.rotation_deg))

    # ---- two points -------------------------------------------------------------------------------------------------

    def ask_points(self) -> None:
        """Two points on the model, each followed by its place on the map."""
        self._clicked = []
        self._next_click()

    def _next_click(self) -> None:
        hint = tr(f"place.click.{CLICKS[len(self._clicked)]}")
        self.window.viewport.start_drawing("point", self._on_click, hint=hint)

    def _on_click(self, points: Any) -> None:
        self._clicked.append(np.asarray(points, dtype=np.float64)[0])
        if len(self._clicked) < len(CLICKS):
            self._next_click()
            return
        self._fit()

    def _fit(self) -> None:
        frame, known = self.document.scene.frame, pose_of(self._model())
        if frame is None or known is None or self.dialog is None:
            return
        clicked = np.array(self._clicked)
        try:
            pose, misfit = two_point_pose(known[0], frame, clicked[[0, 2]], clicked[[1, 3]])
        except UserError as error:
            self.bench.notices.report(error)
            return
        self.dialog.show_pose(pose)
        self.apply(self.dialog.pose)
        if abs(misfit) > LARGE_MISFIT:
            self.bench.notices.tell("notice.misfit", severity="doubt", misfit=f"{misfit:+.2f}")

    # ---- copy -------------------------------------------------------------------------------------------------------

    def ask_copy(self) -> None:
        """Where to write the georeferenced copy."""
        model = self._model()
        if not model:
            return
        source = Path(model[0].source.path)
        wish = source.with_name(f"{source.stem}-georeferenced.ifc")
        name, _ = QFileDialog.getSaveFileName(self.window, tr("place.copy"), str(wish), "IFC (*.ifc)")
        if name:
            self.write_copy(Path(name))

    def write_copy(self, target: Path) -> None:
        """Write a copy that says where the model stands in this project."""
        frame, model = self.document.scene.frame, self._model()
        known = pose_of(model)
        if frame is None or known is None:
            return
        pose, source = known[0], model[0].source.path
        arguments = [
            *("--lang", language.code, "georeference", source, str(target), "--crs", frame.crs),
            f"--at={pose.east!r},{pose.north!r},{pose.height!r}",
            f"--rotation={pose.rotation_deg!r}",
        ]

        def work(feedback: Feedback) -> Path:
            run_program(arguments, feedback, message="writing")
            return target

        self.bench.jobs.submit(
            work,
            title=tr("job.copy"),
            done=lambda path: self.bench.notices.tell("notice.copy_written", name=path.name),
        )
