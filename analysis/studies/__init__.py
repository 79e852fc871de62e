"""One file per analysis. A file here that declares an `Analysis` is found by itself."""
