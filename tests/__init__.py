"""Tests: one folder for each service and for each root of the code, mirroring its rooms."""
