"""Names of the sample's files for studies of dust."""

from __future__ import annotations

SOURCES, PEOPLE, STATIONS, PURIFIERS = "dust_sources.gpkg", "people.gpkg", "air_stations.gpkg", "purifiers.gpkg"
WEATHER = "weather_2025.csv"
MONTH, EFFECT = "air_quality_2025-03.csv", "air_quality_2025-05_06.csv"
# In the order of import.
MAPS = (SOURCES, PEOPLE, STATIONS, PURIFIERS, WEATHER)
# A person loads these when it is time to: they are not part of the project that the sample opens with.
MEASUREMENTS = (MONTH, EFFECT)
