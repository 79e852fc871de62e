"""Makes the sample district's files, or finds them where they were made before."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from app.layer_cache import cache_folder
from app.sample import dust_names, utility_names
from geo.model import Feedback, UserError

DEFAULT_SEED = 51
# Raised whenever the same seed gives another district, so that an old copy in the cache is not taken for this one.
SAMPLE_VERSION = 12
MARKER = "sample.json"
IMPORT_ORDER = (
    "terrain.tif",
    "orthophoto.tif",
    "buildings.city.json",
    "house.ifc",
    "mixed_use.ifc",
    "apartments.ifc",
    "roads.gpkg",
    "parcels.gpkg",
    "water.gpkg",
    "trees.gpkg",
    "cctv.gpkg",
    "schedule_mixed_use.csv",
    *dust_names.MAPS,
)
BOUNDARY = "boundary.gpkg"
README = "README.txt"
MARKS = (BOUNDARY, README, *dust_names.MEASUREMENTS, *utility_names.ALL)


@dataclass(frozen=True)
class SampleFiles:
    """Where the sample district lies.

    Attributes
    ----------
    folder : Path
    paths : tuple of Path
        The data files in the order in which they should be imported: the terrain first, others stand on it.
    boundary : Path
        The site's outline (GeoPackage, layer ``boundary``).
    seed : int
    utilities : tuple of (Path, str)
        Maps of pipes and of their nodes in the order in which they should be imported, each with the name of the
        register beside it that is joined to it (the option ``join``); "" for none.
    replaced : tuple of str
        Ids of the buildings of the city model that have a building model of their own in the sample.
    measurements : tuple of Path
        Tables of measured dust, to be loaded when it is time to: a month of all stations, and two months of two
        stations around the start of the purifier.
    """

    folder: Path
    paths: tuple[Path, ...]
    boundary: Path
    seed: int
    utilities: tuple[tuple[Path, str], ...] = ()
    replaced: tuple[str, ...] = ()
    measurements: tuple[Path, ...] = ()


def default_folder(seed: int = DEFAULT_SEED) -> Path:
    """The folder in the program's cache where the sample of a seed is kept."""
    try:
        program = version("sejong-twin")
    except PackageNotFoundError:
        program = "source"
    return cache_folder() / f"sample-{program}.{SAMPLE_VERSION}-{seed}"


def copy_sample(target: Path, *, seed: int = DEFAULT_SEED, feedback: Feedback | None = None) -> SampleFiles:
    """The sample in a folder of its own: taken from the cache, where it is made first if it is not there."""
    if not is_complete(target, seed=seed):
        kept = make_sample(default_folder(seed), seed=seed, feedback=feedback)
        _refuse_foreign(target)
        try:
            shutil.copytree(kept.folder, target, dirs_exist_ok=True)
        except OSError as error:
            raise _not_written(target, error) from error
    return _files(target, seed)


def make_sample(folder: Path, *, seed: int = DEFAULT_SEED, feedback: Feedback | None = None) -> SampleFiles:
    """Make the sample district, unless the folder already holds a complete one of the same seed.

    The files are written beside the folder and moved into place when all are there; a folder of that name that
    holds an incomplete or older sample is replaced, one that holds anything else is refused.

    Parameters
    ----------
    folder : Path
    seed : int
        The same seed gives the same district.
    feedback : Feedback, optional
        Progress and the wish to stop.
    """
    feedback = feedback or Feedback()
    folder = Path(folder)
    if is_complete(folder, seed=seed):
        feedback.step(1.0, "sample district found")
        return _files(folder, seed)
    _refuse_foreign(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
            _write_all(Path(name) / "sample", seed, feedback)
            _replace(Path(name) / "sample", folder, Path(name) / "old")
    except OSError as error:
        raise _not_written(folder, error) from error
    feedback.step(1.0, "sample district made")
    return _files(folder, seed)


def is_complete(folder: Path, *, seed: int = DEFAULT_SEED) -> bool:
    """Whether a folder holds every file of the sample of this seed and version, unchanged."""
    marker = Path(folder) / MARKER
    try:
        made = json.loads(marker.read_text(encoding="utf-8"))
        if made["version"] != SAMPLE_VERSION or made["seed"] != seed:
            return False
        names = {*IMPORT_ORDER, *MARKS}
        return names == set(made["digests"]) and all(
            _digest(Path(folder) / name) == digest for name, digest in made["digests"].items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _not_written(folder: Path, error: OSError) -> UserError:
    reason = error.strerror or str(error)
    return UserError(
        f"The sample district could not be written to {folder}.",
        f"The system says: {reason}.",
        "Choose a folder that can be written to and has 50 MB of room.",
        code="sample.not_written",
        values={"folder": str(folder), "reason": reason},
    )


def _files(folder: Path, seed: int) -> SampleFiles:
    made = json.loads((Path(folder) / MARKER).read_text(encoding="utf-8"))
    paths = tuple(folder / name for name in IMPORT_ORDER)
    utilities = tuple((folder / name, register) for name, register in utility_names.MAPS)
    measurements = tuple(folder / name for name in dust_names.MEASUREMENTS)
    return SampleFiles(folder, paths, folder / BOUNDARY, seed, utilities, tuple(made["replaced"]), measurements)


def _refuse_foreign(folder: Path) -> None:
    """Never replace a folder that the sample did not make."""
    known = {*IMPORT_ORDER, *MARKS, MARKER}
    if folder.is_dir() and not {entry.name for entry in folder.iterdir()} - known:
        return
    if folder.exists():
        raise UserError(
            f"The sample district cannot be put into {folder}.",
            "There are other files at that place, and the program does not replace what it did not make.",
            "Choose a new or an empty folder.",
            code="sample.foreign",
            values={"folder": str(folder)},
        )


def _replace(made: Path, folder: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    shutil.move(made, folder)


def _write_all(folder: Path, seed: int, feedback: Feedback) -> None:
    from app.sample import (
        apartments,
        buildings,
        cameras,
        dust_files,
        house,
        mixed_use,
        photo,
        readme,
        roads,
        schedule,
        terrain,
        trees,
        utilities,
    )  # fmt: skip
    from app.sample.detailed import city_object
    from app.sample.district import plan_district
    from app.sample.dust_plan import plan_dust

    folder.mkdir()
    plan = plan_district(seed, feedback.part(0.0, 0.28))
    ground = terrain.build(plan, seed, feedback.part(0.28, 0.42))
    terrain.write(ground, folder / "terrain.tif")
    buildings.write(buildings.city_json(plan, ground, feedback.part(0.42, 0.46)), folder / "buildings.city.json")
    planted = trees.plant(plan, ground, seed, feedback.part(0.46, 0.5))
    trees.write(planted, folder / "trees.gpkg")
    cameras.write(cameras.place(plan, ground, planted), folder / "cctv.gpkg")
    dust = plan_dust(plan, seed)
    roads.write_roads(plan, folder / "roads.gpkg", traffic=dust.traffic)
    dust_files.write(plan, dust, folder, seed=seed)
    roads.write_parcels(plan, folder / "parcels.gpkg")
    roads.write_water(plan, folder / "water.gpkg")
    roads.write_boundary(plan, folder / BOUNDARY)
    house.write(plan, ground, folder / "house.ifc", seed=seed, feedback=feedback.part(0.5, 0.6))
    mixed_use.write(plan, ground, folder / "mixed_use.ifc", seed=seed, feedback=feedback.part(0.6, 0.67))
    schedule.write(folder / "mixed_use.ifc", folder / "schedule_mixed_use.csv")
    apartments.write(plan, ground, folder / "apartments.ifc", seed=seed, feedback=feedback.part(0.67, 0.7))
    underground = utilities.lay(plan, ground, seed, feedback.part(0.7, 0.78))
    utilities.write(underground, folder)
    pixels = photo.paint(plan, ground, planted, seed, feedback.part(0.78, 0.98))
    photo.write(pixels, folder / "orthophoto.tif")
    readme.write(plan, dust, folder / README, seed=seed, planted=len(underground.planted))
    _mark(folder, seed, [city_object(number) for number in (plan.mixed_building, *plan.apartment_buildings)])


def _mark(folder: Path, seed: int, replaced: list[str]) -> None:
    """The marker is written last: without it a folder counts as incomplete."""
    digests = {entry.name: _digest(entry) for entry in sorted(folder.iterdir())}
    made = {
        "sample": "합강 표본지구", "synthetic": True, "version": SAMPLE_VERSION, "seed": seed, "replaced": replaced,
        "digests": digests,
    }  # fmt: skip
    (folder / MARKER).write_text(json.dumps(made, ensure_ascii=False, indent=1), encoding="utf-8")


def _digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
