"""Requests in: one file for each kind of aggregate, and `sign_in` for codes, tokens and keys."""

from services.practices.api import (
    apps,
    clients,
    consents,
    covers,
    episodes,
    looks,
    me,
    members,
    practices,
    readiness,
    sessions,
    sign_in,
    wishes,
)

APIS = (
    practices.api,
    me.api,
    members.api,
    covers.api,
    clients.api,
    consents.api,
    looks.api,
    episodes.api,
    wishes.api,
    readiness.api,
    sessions.api,
    apps.api,
    sign_in.sign_in_api,
    sign_in.token_api,
)
