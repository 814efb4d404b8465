"""Tests of the toolchain and of the platform on one machine."""
