"""Where to put a few of many: maximum coverage, least cost and set cover with proven bounds. Knows nothing of cameras.

Columns are what may be chosen (a camera on a pole in one direction, a sensor on a site); targets are what they see.
All values are whole numbers, so sums are exact and a bound is a bound.
"""
