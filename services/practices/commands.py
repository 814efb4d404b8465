"""What an operator does: open a practice, register an app, rotate the signing keys, load the sample."""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from zoneinfo import available_timezones

import click

from services.practices import sample
from services.practices.domain.addresses import look_up, normalized
from services.practices.domain.apps import App
from services.practices.domain.members import Member, Role
from services.practices.domain.practices import Practice
from services.practices.schemas.parts import EMAIL
from services.practices.store.apps import Apps
from services.practices.store.people import Members, Practices
from services.practices.tokens import PUBLISHED_FIRST, rotate
from shared.clock import now
from shared.correlation import correlated
from shared.ids import PLATFORM, derived_from, new_id
from shared.settings import Settings
from shared.store.client import connect


def _with_database(work: Callable[..., Mapping[str, Any]]) -> Callable[..., None]:
    """Give the command its database and settings, and print its answer as JSON."""

    @wraps(work)
    def run(**options: Any) -> None:
        settings = Settings.read("practices")
        with correlated(new_id()):
            answer = work(connect(settings), settings, **options)
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))

    return run


def _timezone(context: click.Context, parameter: click.Parameter, name: str) -> str:
    if name not in available_timezones():
        raise click.BadParameter(f"{name} is no IANA time zone; one is Europe/Lisbon.")
    return name


def _email(context: click.Context, parameter: click.Parameter, address: str) -> str:
    if not re.fullmatch(EMAIL, address):
        raise click.BadParameter(f"{address} is no e-mail address that mail can be sent to.")
    return address


def _texts(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    texts = dict(text.partition("=")[::2] for text in given)
    if not all(texts.values()):
        raise click.BadParameter("Write each as LANGUAGE=TEXT, say en='In danger? Call 112.'")
    return texts


@click.command("open")
@click.option("--name", required=True, help="The practice's name.")
@click.option("--timezone", required=True, callback=_timezone, help="An IANA time zone.")
@click.option("--language", "languages", required=True, multiple=True, help="Offered; once for each.")
@click.option(
    "--crisis-text",
    "crisis_texts",
    multiple=True,
    callback=_texts,
    help="LANGUAGE=TEXT: where help is in a crisis; without one in each language nobody can be invited.",
)
@click.option("--owner-name", required=True)
@click.option("--owner-email", required=True, callback=_email, help="The owner signs in with it.")
@_with_database
def open_practice(
    database: Any,
    settings: Settings,
    name: str,
    timezone: str,
    languages: tuple[str, ...],
    crisis_texts: dict[str, str],
    owner_name: str,
    owner_email: str,
) -> Mapping[str, Any]:
    """Open a practice with its first owner; safe to run again with the same name and owner."""
    # Derived, so that a run that was interrupted between the two is finished by the next.
    practice_id = derived_from("practice", name, normalized(owner_email))
    practice = Practice.open(
        id=practice_id,
        name=name,
        timezone=timezone,
        locale=languages[0],
        languages=list(languages),
        crisis_texts=crisis_texts,
    )
    owner = Member.join(
        id=derived_from(practice_id, "owner"),
        practice_id=practice_id,
        display_name=owner_name,
        email=owner_email,
        address=look_up(owner_email, settings.key("email")),
        roles={Role.OWNER},
        language=languages[0],
        timezone=timezone,
    )
    Practices(database).add(practice)
    Members(database).add(owner)
    return {"practice_id": practice_id, "owner_id": owner.id}


@click.command("register-app")
@click.option("--name", required=True, help="The app's name, as practices and clients see it.")
@_with_database
def register_app(database: Any, settings: Settings, name: str) -> Mapping[str, Any]:
    """Register an app; its secret is printed once and kept nowhere."""
    secret = secrets.token_urlsafe(32)
    app, _ = Apps(database).add(App.register(id=new_id(), practice_id=PLATFORM, name=name, secret=secret))
    return {"client_id": app.id, "client_secret": secret}


@click.command("rotate-keys")
@_with_database
def rotate_keys(database: Any, settings: Settings) -> Mapping[str, Any]:
    """Publish a new signing key; it begins to sign when every verifier has it."""
    at = now()
    return {"kid": rotate(database, settings, at), "signs_from": (at + PUBLISHED_FIRST).isoformat()}


@click.command("sample")
@_with_database
def load_sample(database: Any, settings: Settings) -> Mapping[str, Any]:
    """Load a small practice to try things with (development only); safe to run again."""
    if not settings.development:
        raise click.ClickException("The sample is for development: TANDEM_ENVIRONMENT is production.")
    return sample.load(database, settings)


COMMANDS = (open_practice, register_app, rotate_keys, load_sample)
