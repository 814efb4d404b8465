"""`python -m services.<name> keys …`: what becomes of the keys that people's words are encrypted with."""

from collections.abc import Callable

import click

from shared.store.lock.lock import Lock


def keys_commands(open_lock: Callable[[], Lock]) -> click.Group:
    """The group, over whatever `open_lock` connects to."""
    group = click.Group("keys", help="The keys that what people write is encrypted with: rewrap.")
    group.add_command(_rewrap(open_lock))
    return group


def _rewrap(open_lock: Callable[[], Lock]) -> click.Command:
    @click.command(
        "rewrap",
        help="Put every key under TANDEM_MASTER_KEY that lies under TANDEM_FORMER_MASTER_KEY. What they "
        "encrypted stays as it is and can be read meanwhile; interrupt it and run it again as you like.",
    )
    def command() -> None:
        lock = open_lock()
        lock.require()
        done = 0
        with click.progressbar(length=lock.to_rewrap(), label="Keys") as bar:
            for some in lock.rewrap():
                bar.update(some)
                done += some
        click.echo(f"{done} keys were put under TANDEM_MASTER_KEY, where all of them are now.")

    return command
