"""Where a command writes: what stands there is replaced by a whole file, or not touched."""

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.output import open_output
from gateway.errors import BadUserInput, GatewayError

SLOW_COMMAND = """
import asyncio, typer
from pathlib import Path
from gateway.cli.output import open_output

async def write(path):
    with open_output(path, "") as file:
        file.write(b"after")
        print(len(list(path.parent.iterdir())), flush=True)
        await asyncio.sleep(30)

def command(path: Path):
    asyncio.run(write(path))

typer.run(command)
"""


def write(output: Path | None) -> None:
    async def write_it() -> None:
        with open_output(output, "usage.csv") as file:
            file.write(b"after")

    asyncio.run(write_it())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "files"
    path.mkdir()
    return path


@pytest.mark.parametrize("before", [b"before", None])
def test_a_link_stays_and_what_it_leads_to_is_replaced(
    folder: Path, tmp_path: Path, before: bytes | None
) -> None:
    target, link = folder / "2026.csv", tmp_path / "newest.csv"
    if before is not None:
        target.write_bytes(before)
        (tmp_path / "same.csv").hardlink_to(target)
    link.symlink_to("files/2026.csv")
    write(link)
    assert (link.is_symlink(), target.read_bytes()) == (True, b"after")
    assert [path.name for path in folder.iterdir()] == ["2026.csv"]
    if before is not None:
        assert (tmp_path / "same.csv").read_bytes() == before


@pytest.mark.parametrize(("before", "after"), [(None, 0o640), (0o600, 0o600), (0o664, 0o664)])
def test_a_file_has_the_mode_of_the_one_before_or_of_any_new_one(
    folder: Path, before: int | None, after: int
) -> None:
    path = folder / "usage.csv"
    if before is not None:
        path.touch()
        path.chmod(before)
    umask = os.umask(0o027)
    try:
        write(path)
    finally:
        os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == after


def test_sigterm_leaves_what_was_there(folder: Path) -> None:
    path = folder / "usage.csv"
    path.write_bytes(b"before")
    command = [sys.executable, "-c", SLOW_COMMAND, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.readline() == b"2\n"  # the file, and what shall take its place
        child.terminate()
        assert child.wait(30) == 143
    assert [(each.name, each.read_bytes()) for each in folder.iterdir()] == [(path.name, b"before")]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/usage.csv", "No such file or directory"),
        ("file/usage.csv", "Not a directory"),
        ("loop", "Too many levels of symbolic links"),
        ("x" * 256, "File name too long"),
    ],
)
def test_where_nothing_can_be_written_a_sentence_says_so(
    folder: Path, name: str, reason: str
) -> None:
    (folder / "file").touch()
    (folder / "loop").symlink_to("loop")
    with pytest.raises(BadUserInput) as raised:
        write(folder / name)
    assert raised.value.message == f"{folder / name} cannot be written: {reason}."
    assert sorted(path.name for path in folder.iterdir()) == ["file", "loop"]


def test_a_name_may_be_as_long_as_names_can_be(folder: Path) -> None:
    write(folder / ("x" * 255))
    assert [path.read_bytes() for path in folder.iterdir()] == [b"after"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_what_is_full_is_said_in_a_sentence(folder: Path) -> None:
    (folder / "full").symlink_to("/dev/full")
    with pytest.raises(GatewayError) as raised:
        write(folder / "full")
    assert raised.value.message == f"{folder / 'full'} cannot be written: No space left on device."
    assert not isinstance(raised.value, BadUserInput)


def test_a_pipe_is_written_to_and_stays(folder: Path) -> None:
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    # A reader that does not wait, so that the test ends also where nobody writes.
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(pipe)
    assert os.read(reader, 100) == b"after"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(folder.iterdir()) == [pipe]


def test_standard_output_by_a_name_is_standard_output(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    link = folder / "stdout"
    link.symlink_to("/dev/fd/1")
    write(link)
    write(None)
    assert capfdbinary.readouterr().out == b"afterafter"
    assert link.is_symlink()
