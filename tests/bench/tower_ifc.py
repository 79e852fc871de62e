"""Writes a generated tower as IFC text: as many products as wanted, with openings, repeated furniture, property sets.

A storey of 30 x 20 bays of 3 m holds 700 walls, 400 doors, 400 windows, 200 rooms, 100 columns and 1,200 chairs: 3,000
products, of which 800 openings are cut out of the walls. Everything repeated is mapped from a type.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

STOREY_PRODUCTS = 3000
STOREY_HEIGHT = 3.5
CHAIR_TYPES = 20
CHAIR_RING, CHAIR_ROWS = 16, 15  # 480 triangles a chair
ROW = 70  # elements of a kind side by side
BAY = 3.0
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$"


def write_tower(path: Path, *, products: int = 60_000, property_sets: int = 3) -> int:
    """Write the file; returns how many products with a shape it holds (openings not counted).

    Parameters
    ----------
    products : int
        Rounded up to whole storeys of 3,000.
    property_sets : int
        Of three values each, for every product; three make 100 MB of 60,000 products.
    """
    storeys = max(1, -(-products // STOREY_PRODUCTS))
    tower = _Tower(property_sets)
    with path.open("w", encoding="ascii") as file:
        file.write(
            "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION(('ViewDefinition [ReferenceView]'),'2;1');\n"
            "FILE_NAME('tower.ifc','2026-01-01T00:00:00',(''),(''),'','generator','');\n"
            "FILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;\n"
        )
        file.writelines(tower.lines(storeys))
        file.write("ENDSEC;\nEND-ISO-10303-21;\n")
    return storeys * STOREY_PRODUCTS


def global_id(number: int) -> str:
    """A GlobalId of 22 characters, different for each number."""
    digits = []
    for _ in range(21):
        number, digit = divmod(number, 64)
        digits.append(ALPHABET[digit])
    return "0" + "".join(reversed(digits))


class _Tower:
    """Counts step ids while it writes."""

    def __init__(self, property_sets: int) -> None:
        self._last = 0
        self._property_sets = property_sets
        self._out: list[str] = []

    def _add(self, text: str) -> int:
        self._last += 1
        self._out.append(f"#{self._last}={text};\n")
        return self._last

    def _rooted(self, kind: str, rest: str) -> int:
        return self._add(f"{kind}('{global_id(self._last + 1)}',$,{rest})")

    def _flush(self) -> list[str]:
        out, self._out = self._out, []
        return out

    def lines(self, storeys: int) -> Iterator[str]:
        """All entities, storey by storey."""
        self._frame()
        yield from self._flush()
        floors = []
        for number in range(storeys):
            floors.append(self._storey(number))
            yield from self._flush()
        self._rooted("IFCRELAGGREGATES", f"$,$,#{self._building},({','.join(f'#{f}' for f in floors)})")
        yield from self._flush()

    def _frame(self) -> None:
        """Project, units, context, building, and the shapes that are repeated."""
        metre = self._add("IFCSIUNIT(*,.LENGTHUNIT.,$,.METRE.)")
        units = self._add(f"IFCUNITASSIGNMENT((#{metre}))")
        self._zero = self._add("IFCCARTESIANPOINT((0.,0.,0.))")
        self._axes = self._add(f"IFCAXIS2PLACEMENT3D(#{self._zero},$,$)")
        self._up = self._add("IFCDIRECTION((0.,0.,1.))")
        self._side = self._add("IFCDIRECTION((0.,1.,0.))")
        self._context = self._add(f"IFCGEOMETRICREPRESENTATIONCONTEXT($,'Model',3,1.E-5,#{self._axes},$)")
        project = self._rooted("IFCPROJECT", f"'Tower',$,$,$,$,(#{self._context}),#{units}")
        self._place = self._add(f"IFCLOCALPLACEMENT($,#{self._axes})")
        site = self._rooted("IFCSITE", f"'Site',$,$,#{self._place},$,$,.ELEMENT.,(36,30,0,0),(127,15,0,0),30.,$,$")
        self._building = self._rooted("IFCBUILDING", f"'Tower',$,$,#{self._place},$,$,.ELEMENT.,$,$,$")
        self._rooted("IFCRELAGGREGATES", f"$,$,#{project},(#{site})")
        self._rooted("IFCRELAGGREGATES", f"$,$,#{site},(#{self._building})")
        self._styles = [
            self._style(*rgb) for rgb in ((0.8, 0.75, 0.7), (0.5, 0.35, 0.2), (0.5, 0.7, 0.9), (0.3, 0.3, 0.4))
        ]
        self._chairs = [self._map(self._chair(number)) for number in range(CHAIR_TYPES)]
        self._door = self._map(self._box(0.9, 0.06, 2.1, style=1))
        self._window = self._map(self._box(1.2, 0.06, 1.2, style=2))
        self._columns = [self._map(self._box(0.3 + 0.05 * n, 0.4, 3.2, style=3)) for n in range(2)]

    def _style(self, red: float, green: float, blue: float) -> int:
        colour = self._add(f"IFCCOLOURRGB($,{red},{green},{blue})")
        shading = self._add(f"IFCSURFACESTYLESHADING(#{colour},0.)")
        return self._add(f"IFCSURFACESTYLE($,.BOTH.,(#{shading}))")

    def _box(self, width: float, depth: float, height: float, *, style: int | None = None) -> int:
        at = self._add(f"IFCCARTESIANPOINT(({width / 2:.4f},{depth / 2:.4f}))")
        place = self._add(f"IFCAXIS2PLACEMENT2D(#{at},$)")
        profile = self._add(f"IFCRECTANGLEPROFILEDEF(.AREA.,$,#{place},{width:.4f},{depth:.4f})")
        solid = self._add(f"IFCEXTRUDEDAREASOLID(#{profile},#{self._axes},#{self._up},{height:.4f})")
        if style is not None:
            self._add(f"IFCSTYLEDITEM(#{solid},(#{self._styles[style]}),$)")
        return solid

    def _chair(self, number: int) -> int:
        """A round seat on a stem: a surface of revolution of 480 triangles."""
        points = []
        for row in range(CHAIR_ROWS + 1):
            radius = 0.05 + 0.25 * math.sin(math.pi * row / CHAIR_ROWS) * (1 + 0.02 * number)
            for step in range(CHAIR_RING):
                angle = 2 * math.pi * step / CHAIR_RING
                points.append((radius * math.cos(angle), radius * math.sin(angle), 0.8 * row / CHAIR_ROWS))
        faces = []
        for row in range(CHAIR_ROWS):
            for step in range(CHAIR_RING):
                a, b = row * CHAIR_RING + step + 1, row * CHAIR_RING + (step + 1) % CHAIR_RING + 1
                faces += [(a, b, b + CHAIR_RING), (a, b + CHAIR_RING, a + CHAIR_RING)]
        listed = ",".join(f"({x:.4f},{y:.4f},{z:.4f})" for x, y, z in points)
        cloud = self._add(f"IFCCARTESIANPOINTLIST3D(({listed}))")
        indices = ",".join(f"({a},{b},{c})" for a, b, c in faces)
        body = self._add(f"IFCTRIANGULATEDFACESET(#{cloud},$,.F.,({indices}),$)")
        self._add(f"IFCSTYLEDITEM(#{body},(#{self._styles[1]}),$)")
        return body

    def _map(self, item: int) -> int:
        kind = "Tessellation" if "FACESET" in self._out[-2] else "SweptSolid"
        body = self._add(f"IFCSHAPEREPRESENTATION(#{self._context},'Body','{kind}',(#{item}))")
        source = self._add(f"IFCREPRESENTATIONMAP(#{self._axes},#{body})")
        target = self._add(f"IFCCARTESIANTRANSFORMATIONOPERATOR3D($,$,#{self._zero},$,$)")
        mapped = self._add(f"IFCMAPPEDITEM(#{source},#{target})")
        shown = self._add(f"IFCSHAPEREPRESENTATION(#{self._context},'Body','MappedRepresentation',(#{mapped}))")
        return self._add(f"IFCPRODUCTDEFINITIONSHAPE($,$,(#{shown}))")

    def _shape(self, item: int) -> int:
        body = self._add(f"IFCSHAPEREPRESENTATION(#{self._context},'Body','SweptSolid',(#{item}))")
        return self._add(f"IFCPRODUCTDEFINITIONSHAPE($,$,(#{body}))")

    def _local(self, x: float, y: float, z: float, *, within: int | None = None) -> int:
        at = self._add(f"IFCCARTESIANPOINT(({x:.4f},{y:.4f},{z:.4f}))")
        axes = self._add(f"IFCAXIS2PLACEMENT3D(#{at},$,$)")
        return self._add(f"IFCLOCALPLACEMENT(#{within or self._place},#{axes})")

    def _product(self, kind: str, name: str, place: int, shape: int, tail: str) -> int:
        product = self._rooted(kind, f"'{name}',$,$,#{place},#{shape},{tail}")
        for number in range(self._property_sets):
            values = [
                self._add(f"IFCPROPERTYSINGLEVALUE('Property {number}.{k}',$,IFCLABEL('value {self._last % 997}'),$)")
                for k in range(3)
            ]
            listed = ",".join(f"#{value}" for value in values)
            group = self._rooted("IFCPROPERTYSET", f"'Pset_Generated{number}',$,({listed})")
            self._rooted("IFCRELDEFINESBYPROPERTIES", f"$,$,(#{product}),#{group}")
        return product

    def _storey(self, number: int) -> int:
        z = STOREY_HEIGHT * number
        place = self._local(0.0, 0.0, z)
        storey = self._rooted("IFCBUILDINGSTOREY", f"'Floor {number}',$,$,#{place},$,$,.ELEMENT.,{z:.2f}")
        inside: list[int] = []
        walls = [self._wall(n, z, inside) for n in range(700)]
        for n in range(800):
            self._opening(n, walls[n % 700], inside)
        for n in range(100):
            local = self._local(BAY * (n % 10) * 7, BAY * (n // 10), z)
            inside.append(self._product("IFCCOLUMN", f"Column {n}", local, self._columns[n % 2], "$,.COLUMN."))
        for n in range(1200):
            local = self._local(0.6 + 1.4 * (n % 150), 0.6 + 2.4 * (n // 150), z)
            inside.append(
                self._product("IFCFURNITURE", f"Chair {n}", local, self._chairs[n % CHAIR_TYPES], "$,.CHAIR.")
            )
        rooms = [self._room(n, z) for n in range(200)]
        listed = ",".join(f"#{product}" for product in inside)
        self._rooted("IFCRELCONTAINEDINSPATIALSTRUCTURE", f"$,$,({listed}),#{storey}")
        self._rooted("IFCRELAGGREGATES", f"$,$,#{storey},({','.join(f'#{room}' for room in rooms)})")
        return storey

    def _wall(self, n: int, z: float, inside: list[int]) -> tuple[int, int]:
        place = self._local(BAY * (n % ROW), BAY * (n // ROW), z)
        shape = self._shape(self._box(2.8, 0.2, 3.0 + 0.001 * (n % 7), style=0))
        wall = self._product("IFCWALL", f"Wall {n}", place, shape, "$,.SOLIDWALL.")
        inside.append(wall)
        return wall, place

    def _opening(self, n: int, wall: tuple[int, int], inside: list[int]) -> None:
        is_door = n % 2 == 0
        across = 0.3 if n < 700 else 1.5
        width, height, sill = (0.9, 2.1, 0.0) if is_door else (1.2, 1.2, 0.9)
        hole_place = self._local(across, -0.1, sill, within=wall[1])
        hole = self._rooted(
            "IFCOPENINGELEMENT",
            f"'Opening',$,$,#{hole_place},#{self._shape(self._box(width, 0.4, height))},$,.OPENING.",
        )
        self._rooted("IFCRELVOIDSELEMENT", f"$,$,#{wall[0]},#{hole}")
        place = self._local(0.0, 0.17, 0.0, within=hole_place)
        kind, shape = ("IFCDOOR", self._door) if is_door else ("IFCWINDOW", self._window)
        part = self._product(kind, f"{kind[3:].title()} {n}", place, shape, f"$,{height},{width},$,$,$")
        self._rooted("IFCRELFILLSELEMENT", f"$,$,#{hole},#{part}")
        inside.append(part)

    def _room(self, n: int, z: float) -> int:
        place = self._local(10.5 * (n % 20), BAY * (n // 20) + 0.2, z)
        shape = self._shape(self._box(10.3, 2.8, 2.9))
        return self._product("IFCSPACE", f"Room {n}", place, shape, "$,.ELEMENT.,.SPACE.,$")
