"""Documents read once: parsed, held against the limits, validated, and kept for the next time."""

from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    parse,
    validate,
)

from gateway.errors import TooComplex
from gateway.execution.deprecation import deprecated_fields
from gateway.execution.limits import Limits, find_excess, introspects
from gateway.execution.plan.layouts import Layouts
from gateway.execution.validation import RULES

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
RESOLUTION_FAILED = "OPERATION_RESOLUTION_FAILURE"

CACHED_DOCUMENTS = 256
CACHED_LENGTH = 8_192
REPORTED_ERRORS = 20
"""Most errors that are reported of one document, or of one operation's variables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed document and what is wrong with it; one with `errors` never runs. `deprecated` are
    the fields it uses that the schema deprecates, each as `Type.field`; `layouts` are those of its
    operations that ran.
    """

    node: DocumentNode
    errors: tuple[GraphQLError, ...]
    introspects: bool
    layouts: Layouts
    deprecated: frozenset[str] = frozenset()

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation to run.

        Raises GraphQLError with code OPERATION_RESOLUTION_FAILURE where the name is unknown, or is
        missing though there are several.
        """
        operations = [d for d in self.node.definitions if isinstance(d, OperationDefinitionNode)]
        if name is not None:
            operations = [o for o in operations if o.name is not None and o.name.value == name]
        if len(operations) == 1:
            return operations[0]
        if name is not None:
            sentence = "The document has no operation of the name in `operationName`."
        elif operations:
            sentence = "The document has several operations; `operationName` must choose one."
        else:
            sentence = "The document has no operation."
        raise GraphQLError(sentence, extensions={"code": RESOLUTION_FAILED})


@dataclass(slots=True, kw_only=True)
class Documents:
    """Reads documents against one schema; keeps the valid ones, the last used the longest.

    At most `CACHED_DOCUMENTS` are kept, of at most `CACHED_LENGTH` characters each. Nothing that
    depends on variables or on who asks is decided here, because it would be kept too.
    """

    schema: GraphQLSchema
    limits: Limits
    suggestions: bool
    _kept: dict[str, Document] = field(default_factory=dict)

    def read(self, text: str) -> Document:
        """Return the document; raises GraphQLError with a code where it cannot be parsed."""
        document = self._kept.pop(text, None)
        if document is None:
            document = self._read(text)
        if not document.errors and len(text) <= CACHED_LENGTH:
            self._kept[text] = document
            if len(self._kept) > CACHED_DOCUMENTS:
                del self._kept[next(iter(self._kept))]
        return document

    def __len__(self) -> int:
        return len(self._kept)

    def _read(self, text: str) -> Document:
        node = self._parse(text)
        if excess := find_excess(node, self.limits):
            errors = [GraphQLError(excess, extensions={"code": TooComplex.code})]
        else:
            errors = validate(
                self.schema,
                node,
                RULES,
                max_errors=REPORTED_ERRORS,
                hide_suggestions=not self.suggestions,
            )
        return Document(
            node=node,
            errors=tuple(errors),
            introspects=introspects(node),
            layouts=Layouts(node),
            deprecated=frozenset() if errors else deprecated_fields(self.schema, node),
        )

    def _parse(self, text: str) -> DocumentNode:
        try:
            return parse(
                text,
                max_lexical_tokens=self.limits.tokens,
                max_comments=self.limits.comments,
                max_source_length=self.limits.length,
            )
        except GraphQLSyntaxError as error:
            error.extensions = {"code": PARSE_FAILED}
            raise
