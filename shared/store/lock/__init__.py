"""The lock: what people write is encrypted before it reaches MongoDB.

Three kinds of key, each encrypted with the one before (ADR 0011):

- `master`: the master key, in the settings or at a key management service;
- `vault`: a key for each practice, by pymongo's explicit encryption (pymongocrypt), under the master key;
- `keys`: two data keys for each person, one for each class, encrypted with their practice's key;
- `fields`: which fields of an aggregate are encrypted with which data key, each bound to its place;
- `database`: a service's own database, which has the lock.
"""
