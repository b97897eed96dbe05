"""A file or folder under its final name is whole, and nothing else is left beside it."""

import errno
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import psutil
import pytest
from tiny_movielens import entries, one_line

from autodpq_system import atomic
from autodpq_system.atomic import BEHIND, WEEK, atomic_path, check_place, sweep, write_text

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


@pytest.mark.parametrize("folder", [False, True])
def test_the_disk_has_it_before_it_gets_its_name(tmp_path, monkeypatch, folder):
    """Or a loss of power would keep the name of an empty file."""
    final, seen = tmp_path / "x", []
    monkeypatch.setattr("os.fsync", lambda number: seen.append((os.fstat(number).st_size, final.exists())))
    with atomic_path(final) as path:
        if folder:
            path.mkdir()
        (path / "a" if folder else path).write_text("123")
    assert seen == [(3, False)]


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


def test_a_file_never_replaces_a_folder(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "thesis.txt").write_text("years of work")
    with pytest.raises(IsADirectoryError, match=f"{tmp_path}/models"):
        write_text(tmp_path / "models", "x")
    assert (tmp_path / "models" / "thesis.txt").read_text() == "years of work"
    assert entries(tmp_path) == ["models"]


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


def test_a_folder_that_is_replaced_stays_if_a_signal_comes_between_the_two_renames(tmp_path, monkeypatch):
    final = tmp_path / "prepared"
    final.mkdir()
    (final / "old").touch()
    rename = Path.replace

    def stopped(path, target):
        if target == final and path.name == final.name:
            raise SystemExit(130)
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(SystemExit), atomic_path(final) as made:
        made.mkdir()
    assert entries(tmp_path) == ["prepared"]
    assert (final / "old").exists()


@pytest.mark.parametrize(("place", "named"), [(".", "."), ("a/b", "a"), ("a/b/c", "a/b")])
def test_where_no_file_can_be_is_found_without_writing_one(tmp_path, place, named):
    (tmp_path / "a").touch()
    with pytest.raises(OSError) as caught:
        check_place(tmp_path / place)
    assert caught.value.filename == str(tmp_path / named)
    assert entries(tmp_path) == ["a"]


def test_where_a_file_can_be_nothing_is_left(tmp_path):
    (tmp_path / "a").write_text("old")
    for place in ("a", "new/folder/b"):
        check_place(tmp_path / place)
    assert (tmp_path / "a").read_text() == "old"
    assert entries(tmp_path) == ["a"]


SAFETENSORS = "Error while serializing: I/O error: {} (os error 28)"
NUMPY_SHORT_WRITE = OSError("1000000 requested and 131056 written")
TORCH_SHORT_WRITE = RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 704 vs 598")
REASONS = {
    errno.ENOSPC: "no space left on disk",
    errno.EDQUOT: "disk quota exceeded",
    errno.EFBIG: "expected a file of no more than this process may write, found a larger one",
}


@pytest.mark.parametrize("number", REASONS)
@pytest.mark.parametrize("by", ["system", "safetensors", "numpy", "torch"])
def test_a_write_without_room_names_the_reason_and_the_final_path(tmp_path, monkeypatch, by, number):
    def fails(*_):
        raise OSError(number, os.strerror(number))

    told = {
        "system": OSError(number, "short"),
        "safetensors": Exception(SAFETENSORS.format(os.strerror(number))),
        "numpy": NUMPY_SHORT_WRITE,
        "torch": TORCH_SHORT_WRITE,
    }
    monkeypatch.setattr(Path, "write_bytes", fails)
    final = tmp_path / "ids.npy"
    with pytest.raises(OSError) as caught:
        write_half_then(told[by], final)
    assert caught.value.errno == number
    assert one_line(caught.value).endswith(f"{REASONS[number]} while writing {final}")
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


#: Is killed inside the block, with half of a folder written.
KILLED = """
import os, signal, sys
from pathlib import Path
from autodpq_system.atomic import atomic_path
with atomic_path(Path(sys.argv[1])) as path:
    path.mkdir()
    (path / "half").write_text("1")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def left_by_a_killed_process(final):
    done = subprocess.run([sys.executable, "-c", KILLED, str(final)], check=False)
    assert done.returncode == -signal.SIGKILL
    (scratch,) = final.parent.iterdir()
    return scratch


def test_what_a_killed_process_left_is_swept_wherever_it_lies(tmp_path):
    left_by_a_killed_process(tmp_path / "deep" / "down" / "a ~ b")
    sweep(tmp_path, tmp_path / "nowhere")
    assert entries(tmp_path / "deep" / "down") == []


def test_what_a_killed_process_left_goes_when_its_file_is_written_again(tmp_path):
    left_by_a_killed_process(tmp_path / "a[1]")
    write_text(tmp_path / "a", "of another name")
    assert len(entries(tmp_path)) == 2
    write_text(tmp_path / "a[1]", "whole")
    assert entries(tmp_path) == ["a", "a[1]"]


def test_what_a_living_process_writes_is_left_alone(tmp_path):
    with atomic_path(tmp_path / "a") as path:
        path.write_text("whole")
        sweep(tmp_path)
        write_text(tmp_path / "a", "by another in the meantime")
    assert (tmp_path / "a").read_text() == "whole"


def test_a_number_that_a_younger_process_has_got_is_no_owner(tmp_path):
    scratch = left_by_a_killed_process(tmp_path / "a")
    mine = scratch.rename(tmp_path / re.sub(r"~\d+@", f"~{os.getpid()}@", scratch.name))
    os.utime(mine, (0, 0))
    sweep(tmp_path)
    assert entries(tmp_path) == []


def test_a_file_server_s_clock_that_is_behind_takes_nothing_from_a_living_process(tmp_path):
    with atomic_path(tmp_path / "a") as path:
        path.write_text("whole")
        early = psutil.Process().create_time() - BEHIND / 2
        os.utime(path.parent, (early, early))
        sweep(tmp_path)
    assert (tmp_path / "a").read_text() == "whole"


def test_what_another_machine_left_goes_after_a_week(tmp_path):
    foreign = tmp_path / ".a~1@elsewhere~abcdefgh"
    foreign.mkdir()
    sweep(tmp_path)
    assert entries(tmp_path) == [foreign.name]
    ago = foreign.stat().st_mtime - WEEK - 60
    os.utime(foreign, (ago, ago))
    sweep(tmp_path)
    assert entries(tmp_path) == []


def test_a_container_of_the_same_name_has_other_processes(tmp_path, monkeypatch):
    scratch = left_by_a_killed_process(tmp_path / "a")
    monkeypatch.setattr("autodpq_system.atomic._machine", lambda: f"{platform.node()}.another")
    sweep(tmp_path)
    assert entries(tmp_path) == [scratch.name]


def test_a_folder_whose_process_was_killed_between_two_renames_is_whole(tmp_path):
    scratch = left_by_a_killed_process(tmp_path / "a")
    (scratch / "a.old").mkdir()
    sweep(tmp_path)
    assert entries(tmp_path) == ["a"]
    assert entries(tmp_path / "a") == ["half"]


def test_other_hidden_folders_stay(tmp_path):
    for name in (".a~b", ".git", "a~1@b~c", ".a~x@b~c"):
        (tmp_path / name).mkdir()
    sweep(tmp_path)
    assert len(entries(tmp_path)) == 4


def test_sweeping_minds_no_folder_that_vanishes(tmp_path, monkeypatch):
    """Another process may remove its own while this one looks."""
    for name in "ab":
        (tmp_path / name / "inner").mkdir(parents=True)
    walk = os.walk

    def vanishing(folder, *given, **keys):
        for here, inner, files in walk(folder, *given, **keys):
            shutil.rmtree(tmp_path / "b", ignore_errors=True)
            yield here, inner, files

    monkeypatch.setattr(os, "walk", vanishing)
    sweep(tmp_path)
    assert entries(tmp_path) == ["a"]
