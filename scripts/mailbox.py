"""The development mailbox: a real SMTP server that writes each mail as a file to read.

`python -m scripts.mailbox <port> <folder> [<host>]`; a file is named for its recipient and
moment, and appears whole.
"""

import asyncio
import sys
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """Writes what comes to one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        for recipient in envelope.rcpt_tos:
            self._write(recipient, envelope.original_content or b"")
        return "250 Kept"

    def _write(self, recipient: str, content: bytes) -> None:
        file = self._folder / f"{time.time_ns()}-{safe(recipient)}.eml"
        fresh = file.with_suffix(".part")
        fresh.touch(mode=0o600)
        fresh.write_bytes(content)
        fresh.replace(file)


def safe(recipient: str) -> str:
    """The address as a part of a file's name."""
    return "".join(letter if letter.isalnum() or letter in "@.-_+" else "_" for letter in recipient.lower())


def letters(folder: Path, recipient: str) -> list[Path]:
    """What came for this address, oldest first."""
    return sorted(folder.glob(f"*-{safe(recipient)}.eml"))


async def serve(port: int, folder: Path, host: str = "127.0.0.1") -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Mailbox(folder), hostname="localhost"), host, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]))
