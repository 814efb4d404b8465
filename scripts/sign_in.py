"""Signing in for real: a code asked for, read from the mailbox and exchanged for tokens.

An address gets few codes an hour, so the refresh token of the last signing-in is kept and used first. Staff
bring a second factor: the one that the sample says, or that was enrolled here at their first signing-in.
"""

import base64
import email
import email.policy
import hmac
import json
import re
import time
from pathlib import Path
from typing import Any

from scripts.api import Answer, call
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
        tokens = signed_in(place, who)
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


def signed_in(place: Place, who: str) -> dict[str, Any]:
    """Anew, whatever is kept."""
    before = codes(place, who)
    asked = call("POST", _practices(place, "/sign-in"), body={"email": who}).expect(202)
    form = {"grant_type": "urn:tandem:one-time-code", "email": who, "ticket": asked.body["ticket"]}
    answer = call("POST", _practices(place, "/token"), form=form | {"code": _code(place, who, before)})
    if answer.status == 400 and answer.body["error"] == "second_factor_required":
        answer = _with_second_factor(place, who, answer.body)
    tokens: dict[str, Any] = answer.expect(200).body
    return tokens


def _with_second_factor(place: Place, who: str, required: dict[str, Any]) -> Answer:
    """The authenticator's present code, or the next one that was not used a moment ago."""
    if "enrolment" in required:
        kept = read_json(place.authenticators) | {who: required["enrolment"]["secret"]}
        write_private(place.authenticators, json.dumps(kept))
    secret, step = _authenticator(place, who), int(time.time()) // 30
    form = {"grant_type": "urn:tandem:second-factor", "ticket": required["second_factor_ticket"]}
    for one in (step, step + 1, step + 2):
        # It is taken from half a minute before its time.
        time.sleep(max(0.0, (one - 1) * 30 - time.time()))
        answer = call("POST", _practices(place, "/token"), form=form | {"code": totp(secret, one)})
        if answer.status == 200:
            break
    return answer


def _authenticator(place: Place, who: str) -> str:
    sample = {
        p["email"]: p["totp_secret"] for p in read_json(place.sample).get("people", []) if "totp_secret" in p
    }
    secret = (sample | read_json(place.authenticators)).get(who)
    if secret is None:
        raise Trouble(f"The authenticator of {who} is not here: have somebody of the office reset it.")
    return str(secret)


def totp(secret: str, step: int) -> str:
    """RFC 6238, as practices/sign_in/totp.py has it: nothing here imports a service."""
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    place = mac[-1] & 0xF
    return f"{(int.from_bytes(mac[place : place + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


def codes(place: Place, who: str) -> list[str]:
    """All that were mailed there, oldest first; other letters come too."""
    texts = [_text(letter) for letter in letters(place.mail, who)]
    return ["".join(found.groups()) for text in texts if (found := CODE.match(text))]


def _text(letter: Path) -> str:
    part = email.message_from_bytes(letter.read_bytes(), policy=email.policy.default).get_body(("plain",))
    return str(part.get_content()) if part else ""


def _code(place: Place, who: str, before: list[str]) -> str:
    late = until({"mail": lambda: codes(place, who) != before}, MAIL_SECONDS)
    if late:
        known = (
            ", ".join(person["email"] for person in read_json(place.sample).get("people", [])) or "nobody yet"
        )
        raise Trouble(
            f"No code came for {who}: nobody has this address, or it had too many codes this hour; "
            f"the sample has {known}."
        )
    return codes(place, who)[-1]


def _practices(place: Place, path: str) -> str:
    return url(place, "practices", path)


def url(place: Place, service: str, path: str) -> str:
    port = place.read().get("ports", {}).get(service)
    if port is None:
        raise Trouble("The platform has not been started here: run make up first.")
    return f"http://127.0.0.1:{port}/v1{path}"
