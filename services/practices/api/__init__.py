"""Requests in: one file for each kind of aggregate, and `sign_in` for codes, tokens and keys."""

from services.practices.api import apps, clients, episodes, me, members, practices, sign_in

APIS = (
    practices.api,
    me.api,
    members.api,
    clients.api,
    episodes.api,
    apps.api,
    sign_in.sign_in_api,
    sign_in.token_api,
)
