"""Ways through buildings: the walking network, what walking costs, routes and exits."""
