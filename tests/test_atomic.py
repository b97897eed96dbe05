"""A file or folder under its final name is whole, and nothing else is left beside it."""

import errno
import shutil
from collections import namedtuple

import pytest
from tiny_movielens import entries, one_line

from autodpq_system import atomic
from autodpq_system.atomic import atomic_path, write_text

Usage = namedtuple("Usage", "total used free")


def write_half_then(error, final):
    with atomic_path(final) as path:
        path.write_text("half")
        raise error


def test_file_appears_only_at_the_end(tmp_path):
    final = tmp_path / "new" / "folder" / "a.txt"
    with atomic_path(final) as path:
        path.write_text("whole")
        assert path.name == final.name
        assert not final.exists()
    assert final.read_text() == "whole"
    assert entries(final.parent) == ["a.txt"]


def test_folder_appears_only_at_the_end(tmp_path):
    final = tmp_path / "a"
    with atomic_path(final) as path:
        path.mkdir()
        (path / "one").write_text("1")
        assert not final.exists()
    assert entries(tmp_path) == ["a"]
    assert entries(final) == ["one"]


def test_file_replaces_a_file(tmp_path):
    write_text(tmp_path / "a", "old")
    write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "new"
    assert entries(tmp_path) == ["a"]


def test_folder_replaces_a_folder_with_all_in_it(tmp_path):
    final = tmp_path / "a"
    final.mkdir()
    (final / "old").write_text("old")
    with atomic_path(final) as path:
        path.mkdir()
        (path / "new").write_text("new")
    assert entries(final) == ["new"]
    assert entries(tmp_path) == ["a"]


def test_replaced_folder_is_never_half_deleted(tmp_path, monkeypatch):
    final = tmp_path / "a"
    final.mkdir()
    deleted = []
    monkeypatch.setattr(atomic.shutil, "rmtree", lambda path, **_: deleted.append(path))
    with atomic_path(final) as path:
        path.mkdir()
    assert deleted
    assert final not in deleted


@pytest.mark.parametrize("error", [ValueError("bad"), PermissionError(errno.EACCES, "no"), KeyboardInterrupt()])
def test_failure_leaves_nothing_and_raises_the_same(tmp_path, error):
    with pytest.raises(type(error)) as caught:
        write_half_then(error, tmp_path / "a")
    assert caught.value is error
    assert entries(tmp_path) == []


def test_failure_keeps_the_old_file(tmp_path):
    write_text(tmp_path / "a", "old")
    with pytest.raises(ValueError, match="bad"):
        write_half_then(ValueError("bad"), tmp_path / "a")
    assert (tmp_path / "a").read_text() == "old"
    assert entries(tmp_path) == ["a"]


def test_block_that_writes_nothing_keeps_the_old_folder(tmp_path):
    final = tmp_path / "a"
    final.mkdir()
    (final / "old").write_text("old")
    with pytest.raises(FileNotFoundError), atomic_path(final):
        pass
    assert entries(final) == ["old"]
    assert entries(tmp_path) == ["a"]


NO_SPACE = OSError(errno.ENOSPC, "full")
SAFETENSORS = Exception("Error while serializing: I/O error: No space left on device (os error 28)")
NUMPY_SHORT_WRITE = OSError("1000000 requested and 131056 written")
TORCH_SHORT_WRITE = RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 704 vs 598")
FULL_DISK = {"system": NO_SPACE, "safetensors": SAFETENSORS, "numpy": NUMPY_SHORT_WRITE, "torch": TORCH_SHORT_WRITE}


@pytest.mark.parametrize("error", FULL_DISK.values(), ids=FULL_DISK)
def test_full_disk_names_the_final_path(tmp_path, monkeypatch, error):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 0))
    final = tmp_path / "ids.npy"
    with pytest.raises(OSError) as caught:
        write_half_then(error, final)
    assert caught.value.errno == errno.ENOSPC
    assert one_line(caught.value).endswith(f"no space left on disk while writing {final}")
    assert entries(tmp_path) == []


@pytest.mark.parametrize("error", [NUMPY_SHORT_WRITE, TORCH_SHORT_WRITE], ids=["numpy", "torch"])
def test_short_write_with_space_left_is_not_called_a_full_disk(tmp_path, monkeypatch, error):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**40, 0, 2**40))
    with pytest.raises(type(error)) as caught:
        write_half_then(error, tmp_path / "a")
    assert caught.value is error


def test_text_is_utf8(tmp_path):
    write_text(tmp_path / "a", "Café\n")
    assert (tmp_path / "a").read_bytes() == "Café\n".encode()
