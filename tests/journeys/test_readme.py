"""The README's story, run word by word, against the running platform."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.free_ports import free_port
from tests.journeys.people import Platform

# The webhook may take longer than the story on a busy machine.
END = "\nfor _ in $(seq 150); do grep -q ^verified received && break; sleep 0.1; done; kill %1\n"
# What `make` would do in a copy of its own, here in the folder of the platform under test.
MAKE = """
make() {{
  case "$1" in
    -s) {python} -c 'import sys; from pathlib import Path; from scripts.place import Place
from scripts.sign_in import access_token
print(access_token(Place(Path(".tandem").resolve()), sys.argv[1]))' "${{3#WHO=}}" ;;
    receive) exec {python} -u -m scripts.receiver "${{2#SECRET=}}" "${{3#PORT=}}" >received ;;
  esac
}}
"""


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: apt-get install curl")
def test_the_story_is_true_word_by_word(running: Platform, tmp_path: Path, root: Path) -> None:
    told = (root / "README.md").read_text()
    told = told[told.index("<!-- story") : told.index("<!-- end of story")]
    blocks = re.findall(r"^```sh\n(.*?)^```", told, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 5
    (tmp_path / ".tandem").symlink_to(running.place.path)
    script = "\n".join(blocks).replace("59000", str(free_port()))

    try:
        story = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", MAKE.format(python=sys.executable) + script + END],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(root), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert story.returncode == 0, story.stderr + story.stdout
        assert story.stdout.splitlines()[-1] == "Maya Moreno agreed to a goal."
        received = (tmp_path / "received").read_text().splitlines()
        events = [
            json.loads(line.removeprefix("verified: ")) for line in received if line.startswith("verified")
        ]
        assert [event["type"] for event in events] == ["goal.agreed"]
        assert not any(line.startswith("refused") for line in received)
    finally:
        for grant in running.ask("olivia", "GET", "practices", "/grants").expect(200).body["items"]:
            if grant["revoked_at"] is None:
                running.revoke(grant["id"])
        running.consent("maya", "DELETE")
