"""All mistakes: realistic ones about who may see whom, each with the tests that have to see it.

Where the source changes, change the old text of a mistake with it: one that cannot be made is told.
"""

from scripts.mistakes import asking, comparing, knowing, owning, practising

MISTAKES = (
    *asking.MISTAKES,
    *comparing.MISTAKES,
    *knowing.MISTAKES,
    *owning.MISTAKES,
    *practising.MISTAKES,
)
