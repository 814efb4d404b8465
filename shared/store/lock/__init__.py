"""The lock: what people write is encrypted, field by field, before it reaches MongoDB.

- `master`: what the data keys are kept under, the master key of now and the one before.
- `lock`: the data keys, two a client and one for each class, and encrypting and decrypting with them.
- `fields`: which fields of an aggregate are kept under which key, each bound to its place.
- `database`: a service's own database, which has the lock.
"""
