"""Signing in for real: a code asked for, read from the mailbox and exchanged for tokens.

An address gets few codes an hour, so the refresh token of the last signing-in is kept and used first.
"""

import email
import email.policy
import json
import re
from pathlib import Path
from typing import Any

from scripts.api import call
from scripts.mailbox import letters
from scripts.place import Place, read_json, write_private
from scripts.trouble import Trouble
from scripts.waiting import until

MAIL_SECONDS = 15.0
CODE = re.compile(r"^\s*(\d{4}) ?(\d{4})\s*$", re.MULTILINE)


def access_token(place: Place, who: str) -> str:
    """A token of the person with this address."""
    kept = read_json(place.refresh_tokens)
    tokens = _refreshed(place, kept[who]) if who in kept else None
    if tokens is None:
        tokens = _signed_in(place, who)
    write_private(place.refresh_tokens, json.dumps(kept | {who: tokens["refresh_token"]}))
    return str(tokens["access_token"])


def app_token(place: Place, app: dict[str, Any], practice_id: str | None = None) -> str:
    """A token of an app: for the platform, or for one practice that granted it something."""
    form = {"grant_type": "client_credentials"} | ({"practice_id": practice_id} if practice_id else {})
    answer = call("POST", _practices(place, "/token"), form=form, basic=(app["id"], app["client_secret"]))
    return str(answer.expect(200).body["access_token"])


def _refreshed(place: Place, refresh_token: str) -> dict[str, Any] | None:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    answer = call("POST", _practices(place, "/token"), form=form)
    return answer.body if answer.status == 200 else None


def _signed_in(place: Place, who: str) -> dict[str, Any]:
    before = letters(place.mail, who)
    call("POST", _practices(place, "/sign-in"), body={"email": who}).expect(202)
    form = {"grant_type": "urn:tandem:one-time-code", "email": who, "code": _code(place, who, before)}
    answer = call("POST", _practices(place, "/token"), form=form).expect(200)
    tokens: dict[str, Any] = answer.body
    return tokens


def _code(place: Place, who: str, before: list[Path]) -> str:
    late = until({"mail": lambda: letters(place.mail, who) != before}, MAIL_SECONDS)
    if late:
        known = (
            ", ".join(person["email"] for person in read_json(place.sample).get("people", [])) or "nobody yet"
        )
        raise Trouble(
            f"No code came for {who}: nobody has this address, or it had too many codes this hour; "
            f"the sample has {known}."
        )
    mail = email.message_from_bytes(letters(place.mail, who)[-1].read_bytes(), policy=email.policy.default)
    part = mail.get_body(("plain",))
    found = CODE.search(part.get_content() if part else "")
    if found is None:
        raise Trouble(f"The mail {letters(place.mail, who)[-1]} holds no code: see make logs.")
    return "".join(found.groups())


def _practices(place: Place, path: str) -> str:
    return url(place, "practices", path)


def url(place: Place, service: str, path: str) -> str:
    port = place.read().get("ports", {}).get(service)
    if port is None:
        raise Trouble("The platform has not been started here: run make up first.")
    return f"http://127.0.0.1:{port}/v1{path}"
