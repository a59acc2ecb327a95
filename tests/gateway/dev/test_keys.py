import threading
from pathlib import Path

import pytest

from gateway.dev.keys import dev_key, dev_signing_keys, keep_secret
from gateway.errors import ConfigurationError
from gateway.signing import parse_signing_keys


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret"
    assert keep_secret(path, lambda: b"first") == b"first"
    assert keep_secret(path, lambda: b"second") == b"first"
    assert mode_of(path) == 0o600
    assert mode_of(path.parent) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"]


def test_a_secret_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"kept")
    path.chmod(0o644)
    assert keep_secret(path, lambda: b"new") == b"kept"
    assert mode_of(path) == 0o600


def test_starters_at_once_get_the_same_secret(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    ready = threading.Barrier(16)
    got: list[bytes] = []

    def start(number: int) -> None:
        def make() -> bytes:
            ready.wait()  # all of them have seen that there is no file
            return bytes([number]) * 100_000

        got.append(keep_secret(path, make))

    threads = [threading.Thread(target=start, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 16
    assert set(got) == {path.read_bytes()}
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


def test_a_place_that_keeps_nothing_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ConfigurationError, match=r"^GATEWAY_DATA_DIR: secret cannot be written there"
    ):
        keep_secret(tmp_path / "file" / "secret", lambda: b"secret")


def test_the_dev_secrets_are_the_same_at_each_start(tmp_path: Path) -> None:
    key = dev_key(tmp_path)
    assert key.is_private
    assert key.thumbprint() == dev_key(tmp_path).thumbprint()
    assert dev_signing_keys(tmp_path) == dev_signing_keys(tmp_path)
    (signing_key,) = parse_signing_keys(dev_signing_keys(tmp_path))
    assert signing_key.id == "dev"
    assert {entry.name: mode_of(entry) for entry in tmp_path.iterdir()} == {
        "dev-key.pem": 0o600,
        "dev-signing-keys": 0o600,
    }


def test_two_data_directories_have_different_secrets(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert dev_key(one).thumbprint() != dev_key(two).thumbprint()
    assert dev_signing_keys(one) != dev_signing_keys(two)
