"""Requests to sign in: a code by mail, tokens (RFC 6749), the keys they are signed with (RFC 7517).

Written with joserfc and no OAuth framework: Authlib's server wants a registered OAuth client behind
every grant, which people do not have, and its tokens, its errors and its Flask request would each
have to be replaced; what is left of RFC 6749 is the table of four grants below.
"""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from flask import Request, request

from services.practices.schemas import sign_in as schemas
from services.practices.sign_in import AppUnknown, GrantTypeUnknown, SignIn, TokenDenied, Tokens
from services.practices.sign_in.codes import MailedCodes
from services.practices.tokens import key_set
from shared.clock import now
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import database, settings
from shared.web.parser import Parser

Form = dict[str, str]


class _FormParser(Parser):
    """Reads what routes take from a form instead of JSON, and refuses as RFC 6749, 5.2 wants it."""

    def load_json(self, req: Request, schema: Any) -> Form:
        if any(len(values) > 1 for _, values in req.form.lists()):
            raise TokenDenied("Send each parameter once.")
        # An empty parameter counts as left out (RFC 6749, 3.2).
        return {name: value for name, value in req.form.items() if value}

    def handle_error(self, error: Exception, req: Request, schema: Any, **_: Any) -> NoReturn:
        raise TokenDenied("Send a form with grant_type and what that grant takes.") from error


class _FormBlueprint(Blueprint):
    ARGUMENTS_PARSER = _FormParser()


sign_in_api = Blueprint("sign_in", __name__, description="Signing in, and the keys of tokens")
token_api = _FormBlueprint("token", __name__, description="Tokens (RFC 6749)")


def sign_in() -> SignIn:
    return SignIn(database(), settings())


@sign_in_api.post("/v1/sign-in")
@allows("sign_in.ask", public=True)
@sign_in_api.arguments(schemas.SignInBody)
@sign_in_api.response(202, schemas.AskedView)
def ask_to_sign_in(body: dict[str, str]) -> Mapping[str, str]:
    """The same answer for everybody; who is known gets a code by mail."""
    ticket = MailedCodes(database(), settings()).ask(body["email"], body.get("device"), now())
    detail = "If this address is known here, a code is on its way to it, good for ten minutes."
    return {"detail": detail, "ticket": ticket}


@sign_in_api.get("/.well-known/jwks.json")
@allows("keys.read", public=True)
@sign_in_api.response(200, schemas.KeySetView)
def read_keys() -> tuple[Mapping[str, Any], int, Mapping[str, str]]:
    return key_set(database()), 200, {"Cache-Control": "public, max-age=300"}


@token_api.post("/v1/token")
@allows("token.issue", public=True)
@token_api.arguments(schemas.TokenBody, content_type="application/x-www-form-urlencoded")
@token_api.response(200, schemas.TokenView)
@token_api.alt_response(400, schema=schemas.TokenDeniedView)
@token_api.alt_response(401, schema=schemas.TokenDeniedView)
def issue_tokens(form: Form) -> Mapping[str, Any]:
    exchange = _EXCHANGES.get(form["grant_type"])
    if exchange is None:
        raise GrantTypeUnknown(f"Use one of {', '.join(_EXCHANGES)}.")
    tokens = exchange(form)
    return {name: value for name, value in vars(tokens).items() if value is not None}


def _by_code(form: Form) -> Tokens:
    email, code, ticket = (_needed(form, name) for name in ("email", "code", "ticket"))
    return sign_in().by_code(email, code, ticket, form.get("practice_id"), form.get("kind"), now())


def _by_second_factor(form: Form) -> Tokens:
    return sign_in().by_second_factor(_needed(form, "ticket"), _needed(form, "code"), now())


def _by_refresh_token(form: Form) -> Tokens:
    return sign_in().by_refresh_token(_needed(form, "refresh_token"), now())


def _by_client_credentials(form: Form) -> Tokens:
    given = request.authorization
    if given is None or given.type != "basic" or not given.username or not given.password:
        raise AppUnknown("Send the app's id and secret by HTTP Basic authentication.")
    return sign_in().by_client_credentials(given.username, given.password, form.get("practice_id"), now())


_EXCHANGES: dict[str, Callable[[Form], Tokens]] = {
    "urn:tandem:one-time-code": _by_code,
    "urn:tandem:second-factor": _by_second_factor,
    "refresh_token": _by_refresh_token,
    "client_credentials": _by_client_credentials,
}


def _needed(form: Form, name: str) -> str:
    if name not in form:
        raise TokenDenied(f"Send {name}.")
    return form[name]


@token_api.errorhandler(TokenDenied)
def deny(error: TokenDenied) -> tuple[Mapping[str, Any], int, Mapping[str, str]]:
    told = {"error": error.error, "error_description": str(error), **error.about}
    document: Mapping[str, Any] = schemas.TokenDeniedView().dump(told)
    if isinstance(error, AppUnknown):
        return document, 401, {"WWW-Authenticate": 'Basic realm="tandem"'}
    return document, 400, {}
