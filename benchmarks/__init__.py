"""Figures of Tandem beside its peers."""
