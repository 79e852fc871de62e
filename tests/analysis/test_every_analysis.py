"""What holds for every registered analysis, whatever it computes."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import pytest

from analysis.contract import Analysis, Quantity, describe_inputs, describe_params
from analysis.registry import analyses, get
from analysis.run import execute, out_of_date
from app.language import LANGUAGES, language, texts
from app.words import figure_word
from geo.model import Cancelled, Feedback, UserError
from geo.model.digest import layer_digest
from geo.model.layer import Layer
from tests.tiny import buildings, tiny_frame, tiny_layers
from tests.tiny_bim import building
from tests.tiny_bim import scan as bim_scan
from tests.tiny_bim import schedule as bim_schedule
from tests.tiny_cameras import camera_layers
from tests.tiny_indoor import house
from tests.tiny_parcels import parcels
from tests.tiny_pipes import pipe_layers
from tests.tiny_sensors import three_days, two_months
from tests.tiny_weather import weather_layers
from tests.tiny_wind import steady_winds

WORD = re.compile(r"[a-z][a-z0-9_]*")  # an id: a choice, a class, a group
ALL = [pytest.param(item, id=name) for name, item in analyses().items()]

# Coarse settings, so that each analysis answers on the tiny city within seconds.
QUICK: dict[str, dict[str, object]] = {
    "sunlight.hours": {"day": "2026-12-22", "step": 30, "ground_cell": 8, "facade_spacing": 8},
    "sunlight.rights": {"step": 30},
    "sunlight.sky": {"directions": 64, "ground_cell": 8, "facade_spacing": 8},
    "sunlight.standards": {"step": 30},
    "sunlight.irradiation": {"ground": True, "ground_cell": 8, "facade_spacing": 8},
    "wind.field": {"cell": 12, "size": 100, "thoroughness": "preview", "space": False},
    "wind.comfort": {"cell": 12, "size": 60, "thoroughness": "preview", "sectors": 8},
    "wind.cold_air": {"hours": 0.5, "cell": 10, "catchment": 50},
    "wind.corridor": {"cell": 12, "size": 60, "thoroughness": "preview", "form_cell": 30, "most_directions": 1},
    "dust.calibrate": {"cell": 20, "size": 60, "thoroughness": "preview", "directions": "one", "wind_from": 270},
    "dust.dispersion": {"cell": 20, "size": 60, "thoroughness": "preview", "directions": "one", "wind_from": 270},
    "dust.siting": {
        "cell": 20,
        "size": 60,
        "thoroughness": "preview",
        "directions": "one",
        "wind_from": 270,
        "count": 2,
        "ground": "open",
    },
    "construction.progress": {"day": "2026-03-10"},
    "dust.effect": {"treated": "북측", "since": "2024-03-31"},
    "cctv.coverage": {"ground_cell": 4, "facades": True, "facade_cell": 8},
    "cctv.privacy": {"least_density": 5, "reach": 80},
    "cctv.siting": {
        "count": 2,
        "ground_cell": 8,
        "around": 40,
        "most_places": 40,
        "pan_step": 30,
        "tilt_step": 20,
        "zooms": 2,
        "gap": 2,
    },
    "indoor.route": {"start": "A0", "goal": "B0"},
    "utility.trace": {"start": "w1"},
    "utility.isolation": {"broken": "w2"},
    "utility.path": {"origin": "R", "target": "H"},
    "utility.profile": {"origin": "M1", "target": "O"},
}

# What a family of analyses, or one of them, needs besides the tiny city.
MORE: dict[str, Callable[[], list[Layer]]] = {
    "utility": pipe_layers,
    "indoor": house,
    "bim": building,
    "cctv": camera_layers,
    "compare": lambda: [*one_run("before", 0.0), *one_run("after", 10.0)],
    "sunlight.irradiation": weather_layers,
    "sunlight.setback": lambda: [parcels()],
    "site": lambda: [parcels()],
    "construction": lambda: [*building(), bim_schedule()],
    "construction.as_built": lambda: [*building(), bim_scan()],
    "wind.comfort": lambda: [steady_winds([270.0, 0.0])],
    "dust.calibrate": three_days,
    "dust.effect": two_months,
    "dust.dispersion": three_days,
    "dust.siting": three_days,
}


@cache
def one_run(side: str, taller: float) -> list[Layer]:
    """The layers of a run whose ids tell the side of the comparison it is for."""
    boxes = [(-10.0, -10.0, 20.0, 20.0, 12.0, 30.0), (30.0, 10.0, 20.0, 15.0, 15.0, 9.0 + taller)]
    layers = [*tiny_layers()[:1], buildings(boxes)]
    item = get("sunlight.hours")
    made = execute(item, layers=layers, frame=tiny_frame(), params=QUICK[item.id]).layers
    return [layer.with_(id=f"{side}-{number}") for number, layer in enumerate(made)]


def chosen_for(item: Analysis) -> dict[str, list[str]] | None:
    """Inputs that are only taken when named."""
    if item.id.partition(".")[0] != "compare":
        return None
    return {side: [layer.id for layer in layers_for(item) if layer.id.startswith(side)] for side in ("before", "after")}


def layers_for(item: Analysis) -> list[Layer]:
    more = MORE.get(item.id) or MORE.get(item.id.partition(".")[0], list)
    return [*tiny_layers(), *more()]


def run(item: Analysis, feedback: Feedback | None = None):  # noqa: ANN201
    return execute(
        item,
        layers=layers_for(item),
        frame=tiny_frame(),
        params=QUICK.get(item.id, {}),
        chosen=chosen_for(item),
        feedback=feedback,
    )


@pytest.mark.parametrize("item", ALL)
def test_declaration_is_complete(item: Analysis) -> None:
    assert item.title
    assert item.description
    assert item.references, "every method cites its source"
    assert item.version >= 1
    assert describe_inputs(item.inputs)
    for info in describe_params(item.params):
        assert info.title
        assert info.default is not None
        if info.sort == "number":
            assert info.unit
            assert info.low is not None
            assert info.high is not None
            assert info.low <= info.default <= info.high


@pytest.mark.parametrize("item", ALL)
def test_params_travel_through_text(item: Analysis) -> None:
    """The command line gives text, the project file JSON: both must come back as the same values."""
    default = item.params()
    as_text = {name: str(value) for name, value in default.model_dump(mode="json").items()}
    assert item.params(**as_text) == default
    assert item.params(**json.loads(default.model_dump_json())) == default


@pytest.mark.parametrize("item", ALL)
def test_result_has_units_provenance_and_repeats_bit_for_bit(item: Analysis) -> None:
    seen: list[float] = []
    first = run(item, Feedback(lambda fraction, _: seen.append(fraction)))
    second = run(item)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert first.layers
    assert first.summary
    assert first.assumptions
    assert first.provenance is not None
    assert first.provenance.inputs
    for quantity in first.summary.values():
        assert quantity.unit or isinstance(quantity.value, str)
    for layer, again in zip(first.layers, second.layers, strict=True):
        assert layer_digest(layer) == layer_digest(again)
        # All but the first are what others take as inputs.
        assert layer.theme in ("result", "link", "sensor", "camera", "purifier")
        assert layer.source.provenance["provenance"]["analysis"] == item.id
        if layer.geometry is not None:
            assert layer.fields
        for field in layer.fields:
            assert field.unit
            if np.issubdtype(field.values.dtype, np.floating):
                assert np.isfinite(field.values).any()
    json.dumps(first.layers[0].source.provenance)
    assert untold(item.id, first.summary) == []


def untold(analysis_id: str, summary: Mapping[str, Quantity]) -> list[str]:
    """Key figures without a title, and words in them that are ids, in one of the languages."""
    found = []
    for code, name in itertools.product(LANGUAGES, summary):
        value = summary[name].value
        if f"{analysis_id}.summary.{name}" not in texts(code):
            found.append(f"{code}: title of {name}")
        if isinstance(value, str) and WORD.fullmatch(value) and value not in ("yes", "no"):
            with language.spoken(code):
                said = figure_word(analysis_id, name, value)
            known = code == "en" and value in texts("en").values()  # such as people, which is said by people
            found += [f"{code}: {value} of {name}"] if said == value and not known else []
    return found


@pytest.mark.parametrize("item", ALL)
def test_cancel_leaves_nothing(item: Analysis) -> None:
    steps: list[float] = []
    feedback = Feedback(lambda fraction, _: steps.append(fraction), lambda: len(steps) >= 2)
    with pytest.raises(Cancelled):
        run(item, feedback)


@pytest.mark.parametrize("item", ALL)
def test_inputs_stay_untouched(item: Analysis) -> None:
    layers = layers_for(item)
    before = [layer_digest(layer.with_()) for layer in layers]
    execute(item, layers=layers, frame=tiny_frame(), params=QUICK.get(item.id, {}), chosen=chosen_for(item))
    assert [layer_digest(layer.with_()) for layer in layers] == before


@pytest.mark.parametrize("item", ALL)
def test_wrong_params_are_user_errors(item: Analysis) -> None:
    for params, code in (({"no_such": 1}, "run.unknown_param"),):
        with pytest.raises(UserError) as caught:
            execute(item, layers=layers_for(item), frame=tiny_frame(), params=params)
        assert caught.value.code == code
    for info in describe_params(item.params):
        if info.high is not None:
            with pytest.raises(UserError) as caught:
                execute(item, layers=layers_for(item), frame=tiny_frame(), params={info.name: info.high * 2 + 1})
            assert caught.value.code == "run.bad_param"


@pytest.mark.parametrize("item", ALL)
def test_result_knows_when_its_inputs_changed(item: Analysis) -> None:
    record = run(item).layers[0].source.provenance
    assert out_of_date(record, layers_for(item)) == []
    changed = [layer for layer in layers_for(item) if layer.theme != "building"]
    moved = buildings([(0.0, 0.0, 20.0, 5.0, 5.0, 5.0)])
    used = {given["layer"] for given in record["provenance"]["inputs"]}
    assert out_of_date(record, [*changed, moved]) == (["Buildings"] if "buildings" in used else [])
    assert out_of_date(record, [])


def test_unknown_analysis_lists_what_there_is() -> None:
    with pytest.raises(UserError, match="sunlight.hours"):
        get("sunlight.nothing")


def test_two_runs_of_one_moment_are_two_runs() -> None:
    # A person who presses Run twice quickly has two results, not one with the layers of both.
    item = get("sunlight.sky")
    names = {run(item).layers[0].source.provenance["run"] for _ in range(3)}
    assert len(names) == 3


def test_no_parameter_has_the_name_of_an_input() -> None:
    """The command line takes both by one option."""
    for one in analyses().values():
        assert not {spec.name for spec in describe_inputs(one.inputs)} & {p.name for p in describe_params(one.params)}
