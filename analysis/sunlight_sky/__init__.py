"""The sky that ground and facades see, and what hides the rest."""
