"""Publishing a night: readers see the old night or the new one, whole."""

import errno
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tables.errors import DataError, LockError, SchemaError, StorageError
from tables.lock import WorkspaceLock
from tables.publish import Publication, Published, published, published_dates
from tables.storage import read_table, write_table

NIGHT = date(2025, 1, 31)


def publish(root: Path, risk: float, *, as_of: date = NIGHT, version: int = 1) -> Published:
    """Publish a night of one customer whose risk tells the nights apart."""
    with WorkspaceLock(root) as lock, Publication(lock, as_of) as night:
        write_table(pd.DataFrame({"customer_id": ["ann"], "churn_risk": [risk]}), night.table("scores"))
        write_table(
            pd.DataFrame({"customer_id": ["ann", "bob"], "action": ["call", "none"]}), night.table("plan")
        )
        night.report("index.html").write_text(f"<p>{risk}</p>")
        return night.publish(facts={"model_version": version}, timings={"seconds": 1.5})


def risk_of(root: Path, as_of: date = NIGHT) -> float:
    night = published(root, as_of)
    assert night is not None
    assert night.damaged() == ()
    risk = float(read_table(night.table("scores"), ["churn_risk"])["churn_risk"].iloc[0])
    assert night.report("index.html").read_text() == f"<p>{risk}</p>"
    return risk


def files_of(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file of the workspace with its inode and content."""
    found = (path for path in sorted(root.rglob("*")) if path.is_file() and path.name != "workspace.lock")
    return {str(path.relative_to(root)): (path.stat().st_ino, path.read_bytes()) for path in found}


def test_a_published_night_is_found_through_its_manifest(tmp_path: Path) -> None:
    assert publish(tmp_path, 0.25).changed
    night = published(tmp_path, NIGHT)
    assert night is not None
    assert (night.tables["scores"].rows, night.tables["plan"].rows) == (1, 2)
    assert night.facts == {"model_version": 1}
    assert night.table("scores").match("scores/as_of=2025-01-31/*/scores.parquet")
    assert read_table(night.table("plan"))["action"].tolist() == ["call", "none"]
    assert risk_of(tmp_path) == 0.25


def test_a_night_never_published_has_no_manifest(tmp_path: Path) -> None:
    assert published(tmp_path, NIGHT) is None
    assert published_dates(tmp_path) == ()


def test_the_same_content_twice_writes_nothing(tmp_path: Path) -> None:
    first = publish(tmp_path, 0.25)
    before = files_of(tmp_path)
    again = publish(tmp_path, 0.25)
    assert not again.changed
    assert again.manifest == first.manifest
    assert files_of(tmp_path) == before


def test_the_same_content_gives_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    publish(tmp_path / "here", 0.25)
    publish(tmp_path / "there", 0.25)
    here, there = files_of(tmp_path / "here"), files_of(tmp_path / "there")
    assert {name: content for name, (_, content) in here.items()} == {
        name: content for name, (_, content) in there.items()
    }


def test_other_facts_alone_replace_only_the_manifest(tmp_path: Path) -> None:
    first = publish(tmp_path, 0.25)
    second = publish(tmp_path, 0.25, version=2)
    assert second.changed
    assert second.manifest.tables == first.manifest.tables
    assert published(tmp_path, NIGHT) == second.manifest


def test_timings_lie_beside_the_manifest_and_not_in_it(tmp_path: Path) -> None:
    publish(tmp_path, 0.25)
    assert json.loads((tmp_path / "nights/as_of=2025-01-31.run.json").read_text()) == {"seconds": 1.5}
    assert "seconds" not in (tmp_path / "nights/as_of=2025-01-31.json").read_text()
    assert published_dates(tmp_path) == (NIGHT,)


def test_a_replaced_run_stays_until_the_next_publication(tmp_path: Path) -> None:
    old = publish(tmp_path, 0.25).manifest
    publish(tmp_path, 0.5)
    assert old.table("scores").is_file()
    publish(tmp_path, 0.75, as_of=date(2025, 2, 1))
    with pytest.raises(
        StorageError, match=r"is gone; .* Run `keepwell nightly --as-of 2025-01-31`.* a backup\."
    ):
        old.table("scores")
    assert (risk_of(tmp_path), risk_of(tmp_path, date(2025, 2, 1))) == (0.5, 0.75)
    assert published_dates(tmp_path) == (NIGHT, date(2025, 2, 1))


def test_a_night_without_publish_leaves_no_trace(tmp_path: Path) -> None:
    publish(tmp_path, 0.25)
    before = files_of(tmp_path)
    with WorkspaceLock(tmp_path) as lock, Publication(lock, NIGHT) as night:
        write_table(pd.DataFrame({"customer_id": ["eve"]}), night.table("scores"))
    assert files_of(tmp_path) == before


def test_a_damaged_file_is_named_and_published_anew(tmp_path: Path) -> None:
    manifest = publish(tmp_path, 0.25).manifest
    manifest.table("plan").write_bytes(b"PAR1")
    assert manifest.damaged() == (manifest.tables["plan"].path,)
    assert publish(tmp_path, 0.25).changed
    assert manifest.damaged() == ()
    assert not publish(tmp_path, 0.25).changed


def test_a_refused_rename_is_reported_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StorageError, match=r"No space left on device\. Free space on this disk"):
        publish(tmp_path, 0.5)
    assert published(tmp_path, NIGHT) is None


def test_publishing_without_the_lock_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="it is not held"), Publication(WorkspaceLock(tmp_path), NIGHT):
        pass


@pytest.mark.parametrize("name", ["reports", "../scores", "Scores", ""])
def test_a_table_name_that_is_no_name_is_refused(name: str, tmp_path: Path) -> None:
    with WorkspaceLock(tmp_path) as lock, Publication(lock, NIGHT) as night:
        with pytest.raises(SchemaError, match="cannot name a table"):
            night.table(name)
        with pytest.raises(SchemaError, match="cannot name a report"):
            night.report("../index.html")


def test_an_unknown_table_lists_those_there_are(tmp_path: Path) -> None:
    manifest = publish(tmp_path, 0.25).manifest
    with pytest.raises(SchemaError, match=r"no table 'score'; found \['plan', 'scores'\]"):
        manifest.table("score")
    with pytest.raises(SchemaError, match=r"no report 'page'; found \['index.html'\]"):
        manifest.report("page")


def test_a_manifest_that_is_none_is_reported(tmp_path: Path) -> None:
    publish(tmp_path, 0.25)
    (tmp_path / "nights/as_of=2025-01-31.json").write_text('{"tables": 3')
    with pytest.raises(DataError, match=r"not a manifest; .*copy the workspace.*nightly --as-of 2025-01-31`"):
        published(tmp_path, NIGHT)


@pytest.mark.parametrize("call", range(1, 30))
def test_a_full_disk_leaves_the_published_night_alone(
    call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, 0.25)
    calls = 0

    def refused(original: object) -> object:
        def step(*args: object, **kwargs: object) -> object:
            nonlocal calls
            calls += 1
            if calls == call:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return original(*args, **kwargs)  # type: ignore[operator]

        return step

    for name in ("fsync", "replace", "rename"):
        monkeypatch.setattr(os, name, refused(getattr(os, name)))
    try:
        publish(tmp_path, 0.5)
    except StorageError as error:
        assert "No space left on device. Free space on this disk" in str(error)
    assert risk_of(tmp_path) in {0.25, 0.5}
    monkeypatch.undo()
    publish(tmp_path, 0.75)
    assert risk_of(tmp_path) == 0.75
    assert not list(tmp_path.rglob(".tmp-*"))


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = [sys.argv[2]]
from test_publish import publish, risk_of

def killed_at(call, original, counter):
    def step(*args, **kwargs):
        counter.append(original)
        if len(counter) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)
    return step

root = Path(sys.argv[1])
seen = []
publish(root, 0.25)
for call in range(1, 100):
    child = os.fork()
    if child == 0:
        counter = []
        for name in ("fsync", "replace", "rename", "mkdir", "unlink"):
            setattr(os, name, killed_at(call, getattr(os, name), counter))
        publish(root, 0.5)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    seen.append(risk_of(root))
    if status == 0:
        break
    assert os.WTERMSIG(status) == signal.SIGKILL, status
    publish(root, 0.25)
    assert not list(root.rglob(".tmp-*"))
print(seen)
"""


def test_killed_at_any_step_readers_see_old_or_new(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(Path(__file__).parent)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    assert len(seen) > 20
    assert set(seen) == {0.25, 0.5}
    assert (seen[0], seen[-1]) == (0.25, 0.5)
