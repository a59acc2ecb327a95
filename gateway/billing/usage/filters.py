"""Filters of usage as clients state them: values by dimension, null for usage without one."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from gateway.errors import BadUserInput, NotFound
from gateway.ids import encode_global_id, parse_global_id
from gateway.store.usage_filter import UsageFilter

MAX_VALUES: Final = 100
"""Most values of each list."""

Values = Sequence[str | None] | None
"""The values of a dimension; None for any."""
V = TypeVar("V", int, str)


def usage_filter(
    account_id: int,
    *,
    deployments: Values = None,
    providers: Values = None,
    gpu_models: Values = None,
    projects: Values = None,
    resources: Values = None,
) -> UsageFilter:
    """Return the filter; a value that no usage can have is left out, as it selects nothing.

    Raises BadUserInput for more than MAX_VALUES, naming the list.
    """
    return UsageFilter(
        deployments=_selected(deployments, "deployments", 0, lambda text: _key(text, account_id)),
        providers=_selected(providers, "providers", "", _text),
        gpu_models=_selected(gpu_models, "gpuModels", "", _text),
        projects=_selected(projects, "projects", "", _text),
        resources=_selected(resources, "resources", "", _text),
    )


def stated_values(selected: UsageFilter, account_id: int) -> dict[str, list[str | None] | None]:
    """Return the values that a filter is made of, by the names of their lists in the API."""

    def global_id(key: int) -> str:
        return encode_global_id("Deployment", account_id, key)

    texts = {
        "providers": selected.providers,
        "gpuModels": selected.gpu_models,
        "projects": selected.projects,
        "resources": selected.resources,
    }
    keys = selected.deployments
    stated = None if keys is None else [global_id(key) if key else None for key in keys]
    return {
        "deployments": stated,
        **{
            name: None if values is None else [value or None for value in values]
            for name, values in texts.items()
        },
    }


def _selected(
    values: Values, argument: str, none: V, read: Callable[[str], V | None]
) -> tuple[V, ...] | None:
    if values is None:
        return None
    if len(values) > MAX_VALUES:
        raise BadUserInput(f"`{argument}` may have at most {MAX_VALUES} values.", argument=argument)

    def read_values() -> Iterator[V]:
        for value in values:
            read_value = none if value is None else read(value)
            if read_value is not None:
                yield read_value

    return tuple(sorted(set(read_values())))


def _key(text: str, account_id: int) -> int | None:
    try:
        found = parse_global_id(text)
    except NotFound:
        return None
    is_own = (found.typename, found.account_id) == ("Deployment", account_id)
    return found.key if is_own and found.key else None


def _text(value: str) -> str | None:
    """Return a text as it is stored: none is empty, has NUL, or is not Unicode."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return None if not value or "\0" in value else value
