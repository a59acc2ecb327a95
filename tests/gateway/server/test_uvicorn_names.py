"""The names of uvicorn that the gateway depends on are there, and their absence is a sentence."""

import ast
import inspect
import re
from importlib.metadata import requires
from types import ModuleType

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway.errors import ConfigurationError
from gateway.server import answers, http_protocol, process, websocket_protocol
from gateway.server.http_protocol import AnswerTransport
from gateway.server.uvicorn_names import (
    ATTRIBUTES,
    METHODS,
    SUPPORTED,
    check_uvicorn,
    missing_names,
)
from gateway.server.websocket_protocol import _Gate, _Inbox


def test_the_installed_uvicorn_has_every_name() -> None:
    assert list(missing_names()) == []
    check_uvicorn()


def test_the_dependency_is_held_to_the_minor_version() -> None:
    (held,) = (each for each in requires("billing-usage-gateway") or () if "uvicorn" in each)
    assert held == f"uvicorn~={SUPPORTED}.0"
    assert uvicorn.__version__.startswith(f"{SUPPORTED}.")


def test_another_signature_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def shutdown(self: object, reason: str) -> None: ...

    monkeypatch.setattr(WebSocketsSansIOProtocol, "shutdown", shutdown)
    monkeypatch.delattr(uvicorn.Server, "main_loop")
    monkeypatch.setattr(uvicorn, "__version__", "0.99.0")
    expected = (
        f"The gateway needs uvicorn {SUPPORTED}; 0.99.0 is installed and differs in "
        "Server.main_loop, WebSocketsSansIOProtocol.shutdown. Install the version of "
        "requirements.lock."
    )
    with pytest.raises(ConfigurationError, match=re.escape(expected)):
        check_uvicorn()


@pytest.mark.parametrize("module", [http_protocol, process, websocket_protocol])
def test_every_name_that_is_used_is_checked(module: ModuleType) -> None:
    """Methods of a class of ours that uvicorn's has too, and what they use of `self`."""
    tree = ast.parse(inspect.getsource(module))
    bases = {each.__name__: each for each in METHODS}
    for owner in (each for each in ast.walk(tree) if isinstance(each, ast.ClassDef)):
        base = next((bases[n] for n in map(_base_name, owner.bases) if n in bases), None)
        if base is None:
            continue
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        own = {each.name for each in owner.body if isinstance(each, functions)}
        overridden = own & vars(base).keys()
        used = _attributes_of(owner, "self") - own - _set_by_us(owner) | overridden
        assert used - METHODS[base].keys() - ATTRIBUTES[base] == set()


def test_every_name_of_a_cycle_that_is_used_is_checked() -> None:
    used = _attributes_of(ast.parse(inspect.getsource(answers)), "cycle")
    assert "on_response" in used
    assert used <= ATTRIBUTES[RequestResponseCycle]


@pytest.mark.parametrize(
    ("caller", "attribute", "stand_in"),
    [
        (WebSocketsSansIOProtocol, "queue", _Inbox),
        (WebSocketsSansIOProtocol, "writable", _Gate),
        (RequestResponseCycle, "transport", AnswerTransport),
    ],
)
def test_stand_ins_have_what_uvicorn_calls(caller: type, attribute: str, stand_in: type) -> None:
    tree = ast.parse(inspect.getsource(caller))
    called = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == attribute
    }
    assert called
    assert called <= set(vars(stand_in))


def _base_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _attributes_of(tree: ast.AST, name: str) -> set[str]:
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    }


def _set_by_us(owner: ast.ClassDef) -> set[str]:
    """Return the attributes that `__init__` sets and that are no names of the base."""
    found = [
        each for each in owner.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"
    ]
    base = {name for names in ATTRIBUTES.values() for name in names}
    return {
        node.attr
        for each in found
        for node in ast.walk(each)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    } - base
