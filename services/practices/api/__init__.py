"""Requests in: people, care, apps and grants in `people`; sign-in, tokens and keys in `sign_in`."""

from services.practices.api.people import api
from services.practices.api.sign_in import sign_in_api, token_api

APIS = (api, sign_in_api, token_api)
