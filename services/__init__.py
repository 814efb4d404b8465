"""The services of Tandem, one folder each."""
