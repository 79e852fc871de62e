"""Building information models: IFC files into layers. May import `geo`."""
