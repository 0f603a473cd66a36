"""A package, and not a mere folder, so that fixtures can end with the last of its tests that is run in a row."""
