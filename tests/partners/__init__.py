"""Tests of partners, room by room."""
