"""A service made up for these tests, run as real processes: letters are written, and it hears of them itself.

Owns: letters. Says: letter.written, and four events whose handlers are bad. Listens to: all five.
Each event carries one entry, and each handler keeps its entry: the effects that a ledger is compared with.
"""
