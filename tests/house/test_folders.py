"""Folders and files that other users or machines may write to are not used."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from checkout import ROOT

from index import folders
from index.engines import open_engine
from index.errors import IndexUnavailable, StoreUnavailable
from index.folders import open_to_others, remote_kind
from index.jobs import Indexer
from index.settings import Settings
from index.store import Store
from service import create_app


@pytest.mark.parametrize(
    ("mode", "refused"),
    [
        (0o700, False),
        (0o755, False),
        (0o750, False),
        (0o775, True),
        (0o757, True),
        (0o1777, True),
    ],
)
def test_a_store_in_a_folder_open_to_others_is_not_used(
    tmp_path: Path, mode: int, refused: bool
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(mode)
    url = f"sqlite:///{folder / 'nutgraf.db'}"
    if refused:
        with pytest.raises(StoreUnavailable, match=f"chmod go-w '{folder}'"):
            Store(url)
        assert list(folder.iterdir()) == []
    else:
        Store(url).close()


def test_a_store_file_open_to_others_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "nutgraf.db"
    Store(f"sqlite:///{file}").close()
    file.chmod(0o660)
    with pytest.raises(StoreUnavailable, match=f"chmod go-w '{file}'"):
        Store(f"sqlite:///{file}")


def test_an_index_open_to_others_is_neither_read_nor_written(
    settings: Settings, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    url = f"whoosh:{index}"
    with closing(Store(settings.store)) as store, closing(open_engine(url)) as engine:
        store.request_rebuild()
        Indexer(store, engine).catch_up()
        engine.snapshot()
        index.chmod(0o770)
        with pytest.raises(IndexUnavailable, match=f"chmod go-w '{index}'"):
            open_engine(url)
        store.request_rebuild()
        with pytest.raises(IndexUnavailable, match="chmod go-w"):
            Indexer(store, engine).catch_up()
        index.chmod(0o700)
        Indexer(store, engine).catch_up()
    assert {each.stat().st_mode & 0o077 for each in index.glob("*.*")} == {0}


@pytest.mark.slow
def test_new_files_are_the_owners_alone_whatever_the_umask(
    settings: Settings, tmp_path: Path
) -> None:
    code = """if True:
        import os, sys
        from index.archive import Archive
        from index.article import article_of
        from index.jobs import Indexer
        from index.settings import Settings
        os.umask(0o002)
        archive = Archive.open(Settings(store=sys.argv[1], engine=sys.argv[2]))
        archive.put([article_of({"id": "a", "headline": "Head"})])
        with archive.store.indexer_lock():
            Indexer(archive.store, archive.engine).catch_up()
        os._exit(0)  # with the store's own files beside it
    """
    folder = tmp_path / "new" / "data"
    store, engine = f"sqlite:///{folder / 'nutgraf.db'}", f"whoosh:{folder / 'index'}"
    subprocess.run([sys.executable, "-c", code, store, engine], cwd=ROOT, check=True)
    created = [folder, *folder.rglob("*")]
    assert {"nutgraf.db", "nutgraf.db-wal", "index"} <= {each.name for each in created}
    open_ = [each for each in created if each.stat().st_mode & 0o077]
    # Whoosh's own lock file is empty, and in a folder that nobody else can enter.
    assert [each.name for each in open_] == ["MAIN_WRITELOCK"]


def test_a_folder_of_another_user_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = tmp_path.stat().st_uid
    if owner == 0:
        os.chown(tmp_path, 1234, -1)
        owner = 1234
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    reason = open_to_others(tmp_path)
    assert reason is not None
    assert f"chown {owner + 1} '{tmp_path}'" in reason
    for user in (owner, 0):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        assert open_to_others(tmp_path) is None


def test_a_missing_folder_is_not_open_to_others(tmp_path: Path) -> None:
    assert open_to_others(tmp_path / "none") is None


@pytest.mark.slow
def test_the_service_does_not_start_on_an_index_open_to_others(
    tmp_path: Path,
) -> None:
    index = tmp_path / "index"
    index.mkdir()
    index.chmod(0o777)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("NUTGRAF_")}
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "wsgi:app"],
        cwd=ROOT,
        env=inherited
        | {
            "NUTGRAF_STORE": f"sqlite:///{tmp_path / 'nutgraf.db'}",
            "NUTGRAF_ENGINE": f"whoosh:{index}",
            "NUTGRAF_BIND": "127.0.0.1:0",
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert f"chmod go-w '{index}'" in done.stderr
    assert "Traceback" not in done.stderr


def test_callers_learn_that_the_store_is_not_used_but_no_path(
    settings: Settings, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    client = create_app(settings).test_client()
    for path in ("/v1/search", "/readyz"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "other users may write" in answer.text
        assert tmp_path.name not in answer.text


MOUNTS = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 27 0:50 / /srv rw,relatime shared:9 master:2 - nfs4 files:/export rw
41 40 8:2 / /srv/local rw - xfs /dev/sdb rw
42 27 0:51 / /media/two\040words rw - cifs //nas/two rw
43 27 0:52 / /srv/over rw - nfs files:/one rw
44 43 8:3 / /srv/over rw - ext4 /dev/sdc rw
""".strip()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/nutgraf", None),
        ("/srv/nutgraf/nutgraf.db", "nfs4"),
        ("/srvother", None),
        ("/srv/local/nutgraf", None),
        ("/media/two words/nutgraf", "cifs"),
        ("/srv/over/nutgraf", None),
    ],
)
def test_a_shared_file_system_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, kind: str | None
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    monkeypatch.setattr(folders, "_MOUNTS", mounts)
    assert remote_kind(Path(path)) == kind
