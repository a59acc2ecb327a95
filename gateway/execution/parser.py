"""Parses documents: graphql-core's parser, with a lexer that finds names and punctuation by a
regular expression.

graphql-core also links each token with its neighbours, comments included. Here no token has links:
a document without cycles is freed at once, and not by the collector of cycles.
"""

import re
from bisect import bisect_left
from functools import cached_property
from typing import Final

from graphql import (
    DocumentNode,
    GraphQLSyntaxError,
    Lexer,
    Source,
    SourceLocation,
    Token,
    TokenKind,
)
from graphql.language.parser import Parser, nested_too_deeply_error

_PUNCTUATION: Final = {
    kind.value: kind for kind in TokenKind if len(kind.value) == 1 and kind is not TokenKind.DOT
}
_LINE_END: Final = re.compile(r"[\n\r](?:(?<=\r)\n)?")
_NAME: Final = 1
_TOKEN: Final = re.compile(
    rf"[ \t,\n\ufeff]*+(?:([A-Za-z_][A-Za-z_0-9]*)|([{re.escape(''.join(_PUNCTUATION))}]))"
)


class _Source(Source):
    """Finds the places of many errors by one search through the text."""

    @cached_property
    def _ends(self) -> list[tuple[int, int]]:
        """The end of each line, as where it begins and where it ends."""
        return [found.span() for found in _LINE_END.finditer(self.body)]

    def get_location(self, position: int) -> SourceLocation:
        passed = bisect_left(self._ends, (position,))
        begin = self._ends[passed - 1][1] if passed else 0
        return SourceLocation(passed + 1, position + 1 - begin)


class _Lexer(Lexer):
    """Reads tokens in turn; none is linked."""

    _ahead: Token | None = None

    def advance(self) -> Token:
        self.last_token = self.token
        token = self.token = self.lookahead()
        self._ahead = None
        return token

    def lookahead(self) -> Token:
        token = self._ahead or self.token
        if self._ahead is None and token.kind is not TokenKind.EOF:
            token = self.read_next_token(token.end)
            while token.kind is TokenKind.COMMENT:
                token = self.read_next_token(token.end)
            self._ahead = token
        return token

    def read_next_token(self, start: int) -> Token:
        body = self.source.body
        found = _TOKEN.match(body, start)
        if found is None:
            return super().read_next_token(start)
        group = found.lastindex
        assert group is not None  # noqa: S101  # one of the two has matched
        at, end = found.span(group)
        if lines := body.count("\n", start, at):
            self.line += lines
            self.line_start = body.rindex("\n", start, at) + 1
        column = 1 + at - self.line_start
        if group == _NAME:
            return Token(TokenKind.NAME, at, end, self.line, column, found[group])
        return Token(_PUNCTUATION[found[group]], at, end, self.line, column)


class _Parser(Parser):
    """Counts tokens without comments: the lexer counts those."""

    _lexer: _Lexer
    _max_lexical_tokens: int

    def advance_lexer(self) -> None:
        token = self._lexer.advance()
        if token.kind is TokenKind.EOF:
            return
        self._lexical_token_counter += 1
        if self._lexical_token_counter > self._max_lexical_tokens:
            sentence = f"Document contains more than {self._max_lexical_tokens} tokens."
            raise GraphQLSyntaxError(
                self._lexer.source, token.start, f"{sentence} Parsing aborted."
            )


def parse_document(
    text: str, *, max_tokens: int, max_comments: int, max_length: int
) -> DocumentNode:
    """Return a document within limits of tokens, comments and characters.

    Raises GraphQLSyntaxError.
    """
    source = _Source(text)
    parser = _Parser(
        source,
        lexer=_Lexer(source),
        max_lexical_tokens=max_tokens,
        max_comments=max_comments,
        max_source_length=max_length,
    )
    try:
        return parser.parse_document()
    except RecursionError:
        pass
    raise nested_too_deeply_error(parser)
