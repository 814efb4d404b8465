"""Proof that every query of every service uses an index: each distinct one of a run is explained.

- `statements`: what a command asks, without its values.
- `plans`: how the server would carry it out, and what is wrong with that.
- `watch`: what the product asked while tests ran, in this process and in its own.
- `hooks`: one more result at the end of a run, which fails where a query has no index.
"""
