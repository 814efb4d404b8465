"""Requests in: one file for each kind of aggregate, and `sign_in` for codes, tokens and keys."""

from services.practices.api import (
    apps,
    clients,
    covers,
    episodes,
    looks,
    members,
    practices,
    sessions,
    sign_in,
)

APIS = (
    practices.api,
    members.api,
    covers.api,
    clients.api,
    looks.api,
    episodes.api,
    sessions.api,
    apps.api,
    sign_in.sign_in_api,
    sign_in.token_api,
)
