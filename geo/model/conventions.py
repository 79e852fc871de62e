"""What the columns of some layers are called: the words by which readers, analyses and views understand each other.

A pipe network is two layers of theme ``utility`` in the stratum ``underground``: lines (pipes, cables, ducts) whose
vertices are the **axis** of the pipe, and points (manholes, valves, hydrants ...). An indoor walking network is two
layers of theme ``network``: points (rooms, doors, landings) and lines between them. A layer of theme ``link`` joins
things of different worlds; each of its lines is one link.
"""

from __future__ import annotations

# The kinds of utility, in the column `UTILITY`.
UTILITIES = (
    "water",
    "storm",
    "sewage",
    "combined",
    "gas",
    "power",
    "telecom",
    "heat",
    "waste",
    "oil",
    "tunnel",
    "other",
)
GRAVITY = ("storm", "sewage", "combined")
DEPTH_QUALITIES = ("measured", "register", "assumed")
UTILITY_NODES = (
    "manhole",
    "valve",
    "hydrant",
    "meter",
    "pump",
    "tank",
    "reservoir",
    "junction",
    "outfall",
    "pole",
    "handhole",
    "service",
    "other",
)

# Columns of pipe layers. A column that no element has a value for is left out.
UTILITY = "utility"
DIAMETER = "diameter"  # [m] outer, or of the hole where only that is known
WIDTH, HEIGHT = "width", "height"  # [m] of boxes (utility tunnels, box culverts); NaN for round pipes
COVER = "cover"  # [m] from the ground to the top of the pipe, mean over its length; NaN unknown
DEPTH_QUALITY = "depth_quality"
PLAN_ERROR, DEPTH_ERROR = "plan_error", "depth_error"  # [m] one standard uncertainty
INVERT_UP, INVERT_DOWN = "invert_up", "invert_down"  # [m] height of the inside bottom at first and last vertex
MATERIAL, OWNER, INSTALLED = "material", "owner", "installed"  # INSTALLED: "yyyy", "yyyy-mm" or "yyyy-mm-dd"
FROM_NODE, TO_NODE = "from", "to"  # ids of the nodes at first and last vertex, "" unknown
STATUS = "status"  # valves: "open" or "closed"; links: "ok" or "broken"
# Columns of node layers.
NODE = "node"
GROUND, INVERT = "ground", "invert"  # [m] heights

# Columns of rooms (theme ``space``): floor level, clear height, floor area.
ROOM_NAME, ROOM_NUMBER, ROOM_USE, STOREY = "name", "number", "use", "storey"
ELEVATION, ROOM_HEIGHT, AREA = "elevation", "height", "area"
# Columns of indoor walking networks.
ROOM = "room"  # id of the room a node lies in, "" outside
WAY = "way"  # of an edge
WAYS = ("walk", "door", "opening", "stair", "ramp", "lift", "escalator", "outside")
PLACES = ("room", "door", "stair", "lift", "ramp", "exit", "landing")  # of a node, in the column `NODE`
CLEAR_WIDTH = "width"  # [m] of doors, stairs, ramps; NaN unknown
LENGTH, RISE = "length", "rise"  # [m] along the way; upward from `FROM_NODE` to `TO_NODE`
DERIVED = "derived"  # whether found by geometry rather than stated in the file

# Cameras: points of theme ``camera`` at the place of the lens. Angles in degrees: pan clockwise from grid north, tilt
# downward from level, roll clockwise as the camera looks. `PRESETS` of a camera that turns: "pan,tilt,focal;..." .
CAMERA_NAME, CAMERA_MODEL = "name", "camera_model"  # CAMERA_MODEL: id of the catalogue
PAN, TILT, ROLL = "pan", "tilt", "roll"
FOCAL = "focal"  # [mm]
PRESETS = "presets"
MOUNT = "mount"
MOUNTS = ("pole", "facade", "ceiling", "roof", "other")
CAMERA_STATE = "camera_state"
CAMERA_STATES = ("existing", "movable", "planned", "off")  # a movable one stands, but may be turned or moved

# Columns of links between worlds.
LINK = "link"
LINKS = ("entrance", "parking_ramp", "service_connection", "riser", "station_exit")
FROM_LAYER, TO_LAYER = "from_layer", "to_layer"
GAP = "gap"  # [m] between the two ends
RULE = "rule"  # id of the rule that tested it

# Tables of measurements (theme ``sensor``, no geometry): one row for each station and time, in Korean time. Hours bear
# the time at which they end ("yyyy-mm-ddThh:mm", midnight as 00:00 of the next day), days their date ("yyyy-mm-dd").
STATION, MEASURED_AT = "station", "time"
PM10, PM25 = "pm10", "pm25"  # [ug/m3]

# Dust. Roads (theme ``road``, centre lines) may bear `TRAFFIC` and the widths below; sources beside roads are layers of
# theme ``emission``: points (stacks, outlets), lines and meshes (sites, yards). A strength that is stated counts before
# one that is derived from the sort of source.
TRAFFIC = "traffic"  # vehicles a day, both ways
VEHICLE_WEIGHT = "vehicle_weight"  # [t] mean of all vehicles
SILT = "silt"  # [g/m2] on the carriageway
CARRIAGEWAY = "carriageway"  # [m]
SOURCE_NAME, SOURCE_GROUP = "name", "group"  # sources of a group are scaled together
SOURCE_KIND = "source_kind"
SOURCE_KINDS = ("construction", "yard", "stack", "road", "other")
SOURCE_HEIGHT = "height"  # [m] above the ground, of points
STRENGTH_PM10, STRENGTH_PM25 = "strength_pm10", "strength_pm25"  # [g/s] of the whole element
ACTIVE_SHARE = "active_share"  # of a site that is worked on, 0 to 1
# People: homes, schools, stops, parks as meshes or points.
PERSONS, HOURS_A_DAY = "persons", "hours"  # HOURS_A_DAY: spent there
DWELLINGS = "dwellings"
PLACE_GROUP = "place_group"
PLACE_GROUPS = ("home", "school", "work", "stop", "park", "street", "other")
# Purifiers: points of theme ``purifier`` at the foot. `OUTLET_TOWARDS` in degrees clockwise from grid north: where the
# clean air leaves; the intake is on the other side.
PURIFIER_NAME, PURIFIER_MODEL = "name", "purifier_model"  # PURIFIER_MODEL: id of the catalogue
OUTLET_TOWARDS = "outlet_towards"
PURIFIER_STATE = "purifier_state"
PURIFIER_STATES = ("existing", "planned", "off")
RUNS_SINCE = "runs_since"  # "yyyy-mm-dd" an existing one began to run, "" unknown
