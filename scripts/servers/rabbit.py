"""RabbitMQ nodes as processes of this machine: the packaged scripts, with ports and files of our own."""

import secrets
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scripts import asked, processes
from scripts.place import Place, write_private
from scripts.trouble import Trouble

LIBRARY = Path("/usr/lib/rabbitmq/bin")
SERVER = LIBRARY / "rabbitmq-server"
USER = "tandem"
CTL_SECONDS = 60.0


@dataclass(frozen=True)
class Node:
    """One node. Those of one place share users, settings, cookie and epmd, and so may form a cluster."""

    place: Place
    name: str
    """Of its process and its log."""
    called: str
    """By Erlang; this names its data folder as well."""
    port: int
    dist: int
    epmd: int
    management: int | None = None
    """The port of the management API, where the node is to have one."""

    @property
    def url(self) -> str:
        return f"amqp://{USER}:{password(self.place)}@127.0.0.1:{self.port}//"

    @property
    def management_url(self) -> str:
        return f"http://{USER}:{password(self.place)}@127.0.0.1:{self.management}"

    def start(self, settings: Iterable[str] = ()) -> None:
        """Start it, and epmd where none runs; `settings` are further lines of rabbitmq.conf."""
        home = self.place.folder("rabbit")
        lines = [f"default_user = {USER}", f"default_pass = {password(self.place)}", *settings]
        if self.management is not None:
            lines += ["management.tcp.ip = 127.0.0.1", f"management.tcp.port = {self.management}"]
        write_private(home / "rabbitmq.conf", "\n".join(lines) + "\n")
        (home / "enabled_plugins").write_text("[rabbitmq_management].\n" if self.management else "[].\n")
        if not (home / ".erlang.cookie").exists():
            # Not left to the first node: several start at the same time and must agree.
            write_private(home / ".erlang.cookie", secrets.token_hex(16))
        if not processes.is_running(self.place, "epmd"):
            # Started here and not by the broker, so that it is ours to end.
            epmd = asked.plain() | self._epmd()
            processes.start(self.place, "epmd", [shutil.which("epmd") or "epmd"], epmd)
        processes.start(self.place, self.name, [SERVER], self._environment(), cwd=home)

    def ctl(self, *words: str) -> str:
        """What rabbitmqctl says; trouble where it fails."""
        try:
            done = subprocess.run(  # noqa: S603
                [LIBRARY / "rabbitmqctl", "--quiet", *words],
                env=self._environment(),
                cwd=self.place.folder("rabbit"),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=CTL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Trouble(
                f"rabbitmqctl {' '.join(words)} took over {CTL_SECONDS} s on {self.name}."
            ) from None
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).split())
            raise Trouble(f"rabbitmqctl {' '.join(words)} failed on {self.name}: {said[:300]}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        home = self.place.folder("rabbit")
        files = {
            "HOME": home,
            "RABBITMQ_MNESIA_BASE": home / "mnesia",
            "RABBITMQ_LOG_BASE": home / "log",
            "RABBITMQ_ENABLED_PLUGINS_FILE": home / "enabled_plugins",
            "RABBITMQ_CONFIG_FILE": home / "rabbitmq",
            "RABBITMQ_CONF_ENV_FILE": home / "none.conf",
            "RABBITMQ_PID_FILE": home / f"{self.name}.pid",
        }
        network = {
            "RABBITMQ_NODENAME": self.called,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.dist),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        return asked.plain() | {name: str(value) for name, value in files.items()} | network | self._epmd()

    def _epmd(self) -> dict[str, str]:
        return {"ERL_EPMD_PORT": str(self.epmd), "ERL_EPMD_ADDRESS": "127.0.0.1"}


def password(place: Place) -> str:
    file = place.folder("secrets") / "rabbit"
    if not file.exists():
        write_private(file, secrets.token_urlsafe(24))
    return file.read_text()
