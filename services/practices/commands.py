"""What an operator does: open a practice, register an app, rotate secrets and keys, load the sample."""

import json
import re
import secrets
import sys
import unicodedata
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from zoneinfo import available_timezones

import click

from services.practices import renewal, sample
from services.practices.contacts import reached
from services.practices.domain.addresses import look_up, normalized
from services.practices.domain.apps import App, AppNotFound, TwoSecrets
from services.practices.domain.members import Member, MemberStatus, Role
from services.practices.domain.practices import LanguageNotOffered, Practice
from services.practices.schemas.parts import EMAIL, LANGUAGE
from services.practices.schemas.practices import CRISIS_TEXT, NAME
from services.practices.store.apps import Apps
from services.practices.store.people import Members, Practices
from services.practices.tokens import PUBLISHED_FIRST, rotate
from shared import logs
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
        logs.set_up("practices", click.get_current_context().info_name or "", stream=sys.stderr)
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


def _name(context: click.Context, parameter: click.Parameter, name: str) -> str:
    name = unicodedata.normalize("NFC", name.strip())
    if not (name.isprintable() and 0 < len(name) <= NAME):
        raise click.BadParameter(f"Write a name of 1 to {NAME} characters on one line.")
    return name


def _languages(context: click.Context, parameter: click.Parameter, tags: tuple[str, ...]) -> list[str]:
    for tag in tags:
        if not re.fullmatch(LANGUAGE, tag):
            raise click.BadParameter(f"{tag} is no language as in en or pt-BR.")
    return list(dict.fromkeys(tags))


def _homepage(context: click.Context, parameter: click.Parameter, url: str | None) -> str | None:
    if url is not None and not re.fullmatch(r"https://[!-~]{1,500}", url):
        raise click.BadParameter("A homepage is an https URL of plain characters.")
    return url


def _texts(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    texts = {tag: text.strip() for tag, _, text in (one.partition("=") for one in given)}
    if not all(texts.values()):
        raise click.BadParameter("Write each as LANGUAGE=TEXT, say en='In danger? Call 112.'")
    if any(len(text) > CRISIS_TEXT for text in texts.values()):
        raise click.BadParameter(f"A crisis text has at most {CRISIS_TEXT} characters.")
    return texts


@click.command("open")
@click.option("--name", required=True, callback=_name, help="The practice's name.")
@click.option("--timezone", required=True, callback=_timezone, help="An IANA time zone, say Europe/Lisbon.")
@click.option(
    "--language",
    "languages",
    required=True,
    multiple=True,
    callback=_languages,
    help="A language offered, say en or pt-BR; once for each, the practice's own first.",
)
@click.option(
    "--crisis-text",
    "crisis_texts",
    multiple=True,
    callback=_texts,
    metavar="LANGUAGE=TEXT",
    help="Where help is in a crisis. Until there is one in each language no client can be invited.",
)
@click.option("--owner-name", required=True, callback=_name, help="The first owner's name.")
@click.option(
    "--owner-email",
    required=True,
    callback=_email,
    help="Where the invitation goes; the owner signs in with it.",
)
@_with_database
def open_practice(
    database: Any,
    settings: Settings,
    name: str,
    timezone: str,
    languages: list[str],
    crisis_texts: dict[str, str],
    owner_name: str,
    owner_email: str,
) -> Mapping[str, Any]:
    """Open a practice and invite its first owner.

    Safe to run again: with the same name and e-mail address it finds what is there, and sends another letter
    only where the owner's invitation ran out before they came.
    """
    at = now()
    # Derived, so that a run that was interrupted between the two is finished by the next.
    practice_id = derived_from("practice", name, normalized(owner_email))
    try:
        practice = Practice.open(
            id=practice_id,
            name=name,
            timezone=timezone,
            locale=languages[0],
            languages=languages,
            crisis_texts=crisis_texts,
        )
    except LanguageNotOffered as error:
        raise click.ClickException(str(error)) from None
    owner = Member.invited(
        id=derived_from(practice_id, "owner"),
        practice_id=practice_id,
        display_name=owner_name,
        email=owner_email,
        address=look_up(owner_email, settings.key("email")),
        roles={Role.OWNER},
        language=languages[0],
        timezone=timezone,
        at=at,
    )
    members = Members(database)
    Practices(database).add(practice)
    found, _ = members.add(reached(settings, owner))
    if found.status is MemberStatus.INVITED and not found.is_invited(at):
        found.ask_for_letter(at)
        members.save(found)
    return {"practice_id": practice_id, "owner_id": owner.id}


@click.command("register-app")
@click.option("--name", required=True, help="The app's name, as practices and clients see it.")
@click.option("--description", required=True, help="What it does with what it hears, for them to decide by.")
@click.option("--contact-email", required=True, callback=_email, help="Where its developer is reached.")
@click.option("--homepage", callback=_homepage, help="An https URL where more is told of it.")
@_with_database
def register_app(database: Any, settings: Settings, **about: Any) -> Mapping[str, Any]:
    """Register an app; its secret is printed once and kept nowhere."""
    secret = secrets.token_urlsafe(32)
    app, _ = Apps(database).add(App.register(id=new_id(), practice_id=PLATFORM, secret=secret, **about))
    return {"client_id": app.id, "client_secret": secret}


@click.command("rotate-app-secret")
@click.argument("client_id")
@click.option("--retire", is_flag=True, help="End the earlier secret instead, once nobody uses it.")
@_with_database
def rotate_app_secret(database: Any, settings: Settings, client_id: str, retire: bool) -> Mapping[str, Any]:
    """Give an app another secret, printed once; the earlier one stays good until it is retired."""
    apps, secret = Apps(database), secrets.token_urlsafe(32)
    try:
        app = apps.named(client_id)
        app.retire_secret() if retire else app.rotate_secret(secret)
    except (AppNotFound, TwoSecrets) as error:
        raise click.ClickException(str(error)) from error
    apps.save(app)
    return {"client_id": app.id} if retire else {"client_id": app.id, "client_secret": secret}


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


@click.command("renew-look-ups")
@_with_database
def renew_look_ups(database: Any, settings: Settings) -> Mapping[str, Any]:
    """After TANDEM_SECRET_KEY was changed: let people sign in again.

    By it they are found by their e-mail addresses, and members whose authenticator nobody can check any more
    enrol another at their next sign-in, by the mailed code alone. Safe to run again.
    """
    return _renewed(renewal.renew_look_ups(database, settings))


@click.command("renew-contacts")
@_with_database
def renew_contacts(database: Any, settings: Settings) -> Mapping[str, Any]:
    """After TANDEM_CONTACT_PUBLIC_KEY was changed: tell notifications how to reach everybody.

    Notifications needs the private key to it by then. Safe to run again.
    """
    return _renewed(renewal.renew_contacts(database, settings))


def _renewed(became: Mapping[str, int]) -> Mapping[str, Any]:
    if became[renewal.LEFT]:
        raise click.ClickException(
            f"{became[renewal.RENEWED]} people were renewed. {became[renewal.LEFT]} could not be: "
            "“Person not renewed” in the log has their ids. Mend what keeps them, and run it again."
        )
    return {"renewed": became[renewal.RENEWED]}


COMMANDS = (
    open_practice,
    register_app,
    rotate_app_secret,
    rotate_keys,
    renew_look_ups,
    renew_contacts,
    load_sample,
)
