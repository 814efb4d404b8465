"""What one process sees of its container, as JSON; run inside one, so the standard library has to do."""

import json
import os
import stat
from collections.abc import Iterator
from importlib import metadata

NOT_OF_THE_IMAGE = ("/proc", "/sys", "/dev", "/tmp", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf")


def main() -> None:
    print(json.dumps({"files": dict(files("/")), "distributions": dict(distributions()), "wrote": wrote()}))  # noqa: T201


def files(top: str) -> Iterator[tuple[str, int]]:
    """Everything that the image holds, with its mode."""
    for entry in os.scandir(top):
        if not entry.path.startswith(NOT_OF_THE_IMAGE):
            yield entry.path, entry.stat(follow_symlinks=False).st_mode
            if entry.is_dir(follow_symlinks=False) and os.access(entry.path, os.R_OK | os.X_OK):
                yield from files(entry.path)


def distributions() -> Iterator[tuple[str, str]]:
    for one in metadata.distributions():
        yield one.metadata["Name"].lower().replace("_", "-"), one.version


def wrote() -> list[str]:
    """Every folder that took a file."""
    folders = [path for path, mode in files("/") if stat.S_ISDIR(mode)]
    return [folder for folder in ["/", "/tmp", "/dev/shm", *folders] if _takes_a_file(folder)]


def _takes_a_file(folder: str) -> bool:
    name = os.path.join(folder, "written")  # noqa: PTH118
    try:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.unlink(name)  # noqa: PTH108
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
