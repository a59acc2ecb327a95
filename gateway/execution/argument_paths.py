"""The places of values in a document: by the arguments and fields of the schema."""

from collections.abc import Callable, Iterator

from graphql import (
    ArgumentNode,
    DocumentNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    ValueNode,
    Visitor,
    visit,
)


def argument_path(document: DocumentNode, is_wanted: Callable[[Node], bool]) -> str | None:
    """Return the path of the first wanted value, such as `filter.from`; None if there is none."""
    finder = _Finder(is_wanted)
    visit(document, finder)
    return finder.path


class _Finder(Visitor):
    def __init__(self, is_wanted: Callable[[Node], bool]) -> None:
        super().__init__()
        self._is_wanted = is_wanted
        self.path: str | None = None

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        if self.path is None:
            places = _places(node.value, node.name.value)
            self.path = next((path for value, path in places if self._is_wanted(value)), None)


def _places(value: ValueNode, path: str) -> Iterator[tuple[Node, str]]:
    """Yield a value and those inside, each with its path; items have the path of their list."""
    yield value, path
    if isinstance(value, ListValueNode):
        for item in value.values:
            yield from _places(item, path)
    elif isinstance(value, ObjectValueNode):
        for each in value.fields:
            inner = f"{path}.{each.name.value}"
            yield each, inner
            yield from _places(each.value, inner)
