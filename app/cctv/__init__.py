"""Cameras in the program: editing, documents, exchange."""
