"""Building by a schedule: what was planned for each element, and what is done."""
