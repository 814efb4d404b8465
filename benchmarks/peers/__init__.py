"""What Tandem is measured against, each a program of its own, written as its documentation writes it."""
