"""The master key, under which the keys of practices lie.

It is in the settings (libmongocrypt's `local`), or at a key management service: AWS, Google Cloud or
Azure, through pymongo's own providers. Each is named after its own digest, so that a key tells under which
one it lies, and two can be there at once while one takes the other's place. Its forms:

    <base64 of 96 random bytes>
    aws:<ARN of the key>[?endpoint=<host:port>]
    gcp:projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<name>[?endpoint=<host:port>]
    azure:https://<vault>/keys/<name>[/<version>]
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

_LOCAL, _LOCAL_BYTES = "local", 96
_FORMS: Mapping[str, str] = {
    "aws": r"(?P<key>arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d+:(key|alias)/[\w/-]+)",
    "gcp": r"projects/(?P<projectId>[^/?]+)/locations/(?P<location>[^/?]+)"
    r"/keyRings/(?P<keyRing>[^/?]+)/cryptoKeys/(?P<keyName>[^/?]+)",
    "azure": r"https://(?P<keyVaultEndpoint>[^/?]+)/keys/(?P<keyName>[^/?]+)(/(?P<keyVersion>[^/?]+))?",
}
PROVIDERS = tuple(_FORMS)
_ENDPOINT = r"(\?endpoint=(?P<endpoint>[^/?&]+))?"


@dataclass(frozen=True)
class Master:
    """`former` is the one before, as long as some keys still lie under it, or the one that is to come.

    `credentials` is a JSON object of what pymongo's `kms_providers` takes for each, {"aws": {…}, …}.
    """

    text: str
    former: str = ""
    credentials: str = ""

    @cached_property
    def provider(self) -> str:
        """The one that new keys are kept under."""
        return _name(self.text)

    @cached_property
    def key(self) -> dict[str, str] | None:
        """Which key of the provider's."""
        return _identified(self.text)

    @cached_property
    def providers(self) -> dict[str, Any]:
        """All that keys may lie under, as pymongo takes them."""
        given = json.loads(self.credentials or "{}")
        return {_name(text): _provider(text, given) for text in (self.text, self.former) if text}


def well_formed(text: str) -> bool:
    kind, form = _divided(text)
    return len(_bytes(text)) == _LOCAL_BYTES if kind == _LOCAL else form is not None


def _divided(text: str) -> tuple[str, re.Match[str] | None]:
    kind, _, rest = text.partition(":")
    if kind not in _FORMS:
        return _LOCAL, None
    return kind, re.fullmatch(_FORMS[kind] + _ENDPOINT, rest)


def _name(text: str) -> str:
    # One-way and short: it says which key of the few there have been, and nothing of what it is.
    digest = blake2b(_bytes(text) or text.encode(), digest_size=8, person=b"tandem/master")
    return f"{_divided(text)[0]}:{digest.hexdigest()}"


def _identified(text: str) -> dict[str, str] | None:
    _, form = _divided(text)
    return form and {name: value for name, value in form.groupdict().items() if value}


def _provider(text: str, credentials: Mapping[str, Any]) -> dict[str, Any]:
    kind, _ = _divided(text)
    return {"key": _bytes(text)} if kind == _LOCAL else credentials[kind]


def _bytes(text: str) -> bytes:
    """What this is base64 of; nothing where it is not."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
