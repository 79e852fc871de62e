"""Links between worlds: entrances and roads, ramps and parking, pipes and buildings."""
