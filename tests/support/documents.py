"""Commands, links and paths in the Markdown documents."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_FOLDERS: Final = ("docs", ".github", "gateway", "resolvers", "loaders")
DOCUMENTS: Final = (
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "console").glob("*.md")),
    *sorted(path for folder in _FOLDERS for path in (ROOT / folder).rglob("*.md")),
)
"""Every document of the repository; the licences of test data are not ours."""
PROGRAMS: Final = (
    "make|gateway|python|python3|pip|pre-commit|docker|pg_dump|pg_restore|psql|sqlite3|curl"
    "|openssl|npm|node|cd"
)
"""What a command in a line of text begins with."""

_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN: Final = re.compile(r"`([^`\n]+)`")
_COMMAND: Final = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:sudo |\.venv/bin/)?(?:{PROGRAMS}) +\S")
_ANY_TEXT: Final = "…"
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
_TOP: Final = r"\.github|console|docker|docs|gateway|loaders|resolvers|tests"
_PATH: Final = re.compile(rf"(?:{_TOP})/[\w./-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block of `sh`, with the block after it where that shows what is printed."""

    document: str
    line: int
    text: str
    answer: str | None

    @property
    def name(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The first words of its lines, without lines that only go on."""
        return commands_of(self.text)


def blocks_of(path: Path) -> list[Block]:
    """Return the blocks of `sh` in their order. An answer is a block without a language, or of
    JSON, that stands right below.
    """
    text = path.read_text("utf-8")
    fences = list(_FENCE.finditer(text))
    found = []
    for place, fence in enumerate(fences):
        if fence[1] != "sh":
            continue
        below = fences[place + 1] if place + 1 < len(fences) else None
        is_answer = (
            below is not None
            and below[1] in {"", "json"}
            and not below[2].startswith("$ ")
            and not text[fence.end() : below.start()].strip()
        )
        found.append(
            Block(
                document=name_of(path),
                line=text.count("\n", 0, fence.start()) + 1,
                text=fence[2],
                answer=below[2] if below and is_answer else None,
            )
        )
    return found


def transcripts_of(path: Path) -> list[str]:
    """Return the commands that stand after a `$` above what they print."""
    blocks = (fence[2] for fence in _FENCE.finditer(path.read_text("utf-8")) if fence[1] != "sh")
    return [line[2:] for each in blocks for line in each.splitlines() if line.startswith("$ ")]


def spans_of(path: Path) -> list[str]:
    """Return the commands that stand in a line of text."""
    text = _FENCE.sub("", path.read_text("utf-8"))
    return [span.replace(r"\|", "|") for span in _SPAN.findall(text) if _COMMAND.match(span)]


def name_of(path: Path) -> str:
    """Return a document's path below the repository's root."""
    return str(path.relative_to(ROOT))


def links_of(path: Path) -> list[str]:
    """Return the targets of a document's links and pictures that lead to no other host."""
    text = _FENCE.sub("", path.read_text("utf-8"))
    targets = [found[1] or found[2] for found in _LINK.finditer(text)]
    return [each for each in targets if not re.match(r"[a-z]+:", each)]


def anchors_of(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to a document's headings."""
    text = _FENCE.sub("", path.read_text("utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", found.lower()) for found in _HEADING.findall(text))
    return {each.replace(" ", "-") for each in plain}


def paths_of(path: Path) -> list[str]:
    """Return the paths of the repository that stand as code in a document's text."""
    text = _FENCE.sub("", path.read_text("utf-8"))
    return [span for span in _SPAN.findall(text) if _PATH.fullmatch(span)]


def commands_of(text: str) -> list[str]:
    """Return the commands of a script, each on one line: no comments, here-documents or parts of a
    string that goes on.
    """
    return list(_commands(text.splitlines()))


def _commands(lines: list[str]) -> Iterator[str]:
    rest = iter(lines)
    for line in rest:
        command = re.sub(r"(?:^|\s+)#\s.*$", "", line)
        while command.endswith("\\"):
            command = command[:-1].rstrip() + " " + next(rest).strip()
        if end := re.search(r"<<'?(\w+)'?", command):
            while next(rest) != end[1]:
                pass
        while command.count("'") % 2:
            command += "\n" + next(rest)
        if command.strip():
            yield command.strip()


def matches(shown: str, printed: str) -> bool:
    """Say whether a text was printed as shown, line by line; `…` stands for any text of a line, and
    a line of `…` alone for any lines.
    """
    lines = [_pattern(line) for line in shown.strip().splitlines()]
    return re.fullmatch("\n".join(lines), printed.strip()) is not None


def _pattern(line: str) -> str:
    if line.strip() == _ANY_TEXT:
        return r"[\s\S]*"
    return ".*".join(map(re.escape, line.rstrip().split(_ANY_TEXT)))
