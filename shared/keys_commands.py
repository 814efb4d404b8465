"""`python -m services.<name> keys …`: what becomes of the keys that people's words are encrypted with."""

from collections.abc import Callable

import click

from shared.store.lock.vault import CannotOpen, Vault


def keys_commands(open_vault: Callable[[], Vault]) -> click.Group:
    """The group, over whatever `open_vault` connects to."""
    group = click.Group("keys", help="The keys that what people write is encrypted with: rewrap.")
    group.add_command(_rewrap(open_vault))
    return group


def _rewrap(open_vault: Callable[[], Vault]) -> click.Command:
    @click.command(
        "rewrap",
        help="Put every key under TANDEM_MASTER_KEY that lies under TANDEM_FORMER_MASTER_KEY. What they "
        "encrypted stays as it is and can be read meanwhile; interrupt it and run it again as you like.",
    )
    def command() -> None:
        vault = open_vault()
        vault.require()
        done = 0
        try:
            with click.progressbar(length=vault.to_rewrap(), label="Keys") as bar:
                for some in vault.rewrap():
                    bar.update(some)
                    done += some
        except CannotOpen:
            raise click.ClickException(
                "A key in key_vault is not as it was stored: put it back from a backup, and run this again."
            ) from None
        click.echo(f"{done} keys were put under TANDEM_MASTER_KEY, where all of them are now.")

    return command
