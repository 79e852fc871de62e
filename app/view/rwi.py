"""The widget of PyVistaQt that VTK draws into, without the rest of PyVista.

The package's own start imports all of PyVista's plotting and Matplotlib, which takes longer than everything else until
the window is up, and nothing here uses it. Only the module with the widget is run, with VTK's own classes; whoever
imports the package afterwards gets all of it. Where that does not work the package is imported as usual.
"""

from __future__ import annotations

import importlib
import logging
import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

PACKAGE = "pyvistaqt"
QT = "qtpy"
QT_MODULES = ("QtCore", "QtGui", "QtWidgets", "QtOpenGLWidgets")
OURS = (PACKAGE, f"{PACKAGE}._vtk", f"{PACKAGE}.rwi")

log = logging.getLogger(__name__)


def load_widget() -> Any:
    """The class of the widget."""
    if PACKAGE not in sys.modules:
        try:
            return _alone()
        except (ImportError, AttributeError) as error:  # another release of the package may be built in another way
            log.info("the widget alone could not be loaded: %s", error)
        finally:
            for name in OURS:
                sys.modules.pop(name, None)
            for name in _stand_ins:
                sys.modules.pop(name, None)
            _stand_ins.clear()
    return importlib.import_module(f"{PACKAGE}.rwi").QVTKRenderWindowInteractor


def _alone() -> Any:
    spec = find_spec(PACKAGE)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {PACKAGE!r}", name=PACKAGE)
    sys.modules[PACKAGE] = module_from_spec(spec)  # it knows where its modules are; its start is not run
    sys.modules[f"{PACKAGE}._vtk"] = _plain_vtk()
    if QT not in sys.modules:
        _plain_qt()
    return importlib.import_module(f"{PACKAGE}.rwi").QVTKRenderWindowInteractor


_stand_ins: list[str] = []


def _plain_qt() -> None:
    """What the widget has from QtPy: Qt's classes as PySide6 names them; QtPy copies every name of each module."""
    plain = ModuleType(QT)
    plain.__path__ = []  # a package
    sys.modules[QT] = plain
    _stand_ins.append(QT)
    for name in QT_MODULES:
        sys.modules[f"{QT}.{name}"] = importlib.import_module(f"PySide6.{name}")
        _stand_ins.append(f"{QT}.{name}")


def _plain_vtk() -> ModuleType:
    """What the package has from PyVista: where VTK's classes are."""
    from vtkmodules.vtkCommonCore import vtkObjectBase
    from vtkmodules.vtkRenderingCore import vtkActor, vtkRenderer
    from vtkmodules.vtkRenderingOpenGL2 import vtkGenericOpenGLRenderWindow
    from vtkmodules.vtkRenderingUI import vtkGenericRenderWindowInteractor

    plain = ModuleType(f"{PACKAGE}._vtk")
    plain.VTK_BACKEND, plain.BACKEND_IS_FLAT = "vtkmodules", False  # type: ignore[attr-defined]
    for one in (vtkObjectBase, vtkActor, vtkRenderer, vtkGenericOpenGLRenderWindow, vtkGenericRenderWindowInteractor):
        setattr(plain, one.__name__, one)
    return plain


QVTKRenderWindowInteractor = load_widget()
