"""Parses documents, checks them against the limits, validates them, and caches valid ones."""

from dataclasses import dataclass, field

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    validate,
)

from gateway.errors import TooComplex
from gateway.execution.cost.operation_costs import OperationCosts
from gateway.execution.cost.schema_costs import SchemaCosts
from gateway.execution.deprecation import deprecated_fields
from gateway.execution.executors import Executors
from gateway.execution.limits import DocumentLimits, find_excess, introspects
from gateway.execution.parser import parse_document
from gateway.execution.plan.cache import Plans
from gateway.execution.usual_documents import UsualDocuments
from gateway.execution.validation import RULES

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
RESOLUTION_FAILED = "OPERATION_RESOLUTION_FAILURE"

CACHED_DOCUMENTS = 256
CACHED_LENGTH = 8_192
CACHED_CHARACTERS = 524_288
"""Most characters of all cached documents; a character takes some 90 bytes of memory, parsed."""
REPORTED_ERRORS = 20
"""Most errors that are reported of one document, or of one operation's variables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedDocument:
    """A parsed document. One with `errors` never runs. `deprecated` lists the deprecated fields
    that it selects, as `Type.field`; `plans`, `costs` and `executors` cache what is known of its
    operations.
    """

    node: DocumentNode
    length: int
    errors: tuple[GraphQLError, ...]
    introspects: bool
    plans: Plans
    costs: OperationCosts
    deprecated: frozenset[str] = frozenset()
    executors: Executors = field(default_factory=Executors)
    _by_name: dict[str | None, OperationDefinitionNode] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation to run.

        Raises GraphQLError with code OPERATION_RESOLUTION_FAILURE if no operation has the name,
        or if the name is missing and there are several operations.
        """
        found = self._by_name.get(name)
        if found is None:
            found = self._by_name[name] = self._find_operation(name)
        return found

    def _find_operation(self, name: str | None) -> OperationDefinitionNode:
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
    """Reads documents against one schema, with an LRU cache of valid documents.

    The cache holds at most `CACHED_DOCUMENTS`, of at most `CACHED_LENGTH` characters each and
    `CACHED_CHARACTERS` together. Nothing here may depend on variables or on the principal, because
    the cache is shared.
    """

    schema: GraphQLSchema
    limits: DocumentLimits
    suggestions: bool
    _kept: LRUCache[str, ParsedDocument] = field(
        default_factory=lambda: LRUCache(CACHED_CHARACTERS, _size)
    )
    _costs: SchemaCosts = field(init=False)
    _usual: UsualDocuments = field(init=False)

    def __post_init__(self) -> None:
        self._costs = SchemaCosts(self.schema)
        self._usual = UsualDocuments(self.schema)

    def find(self, text: str) -> ParsedDocument | None:
        """Return the document if it is cached."""
        found: ParsedDocument | None = self._kept.get(text)
        return found

    def read(self, text: str) -> ParsedDocument:
        """Return the document; raises GraphQLError with a code if it cannot be parsed."""
        return self.find(text) or self.check(text, self.parse(text))

    def parse(self, text: str) -> DocumentNode:
        """Return the document's tree; raises GraphQLError with a code if it cannot be parsed."""
        try:
            return parse_document(
                text,
                max_tokens=self.limits.tokens,
                max_comments=self.limits.comments,
                max_length=self.limits.length,
            )
        except GraphQLSyntaxError as error:
            error.extensions = {"code": PARSE_FAILED}
            raise

    def check(self, text: str, node: DocumentNode) -> ParsedDocument:
        """Return the document of a parsed text, and cache it if it is valid and short."""
        document = self._check(text, node)
        if not document.errors and len(text) <= CACHED_LENGTH:
            self._kept[text] = document
        return document

    def __len__(self) -> int:
        return len(self._kept)

    def _check(self, text: str, node: DocumentNode) -> ParsedDocument:
        excess = find_excess(node, self.limits)
        usual = None if excess else self._usual.check(node)
        errors = () if usual else self._errors(node, excess)
        if usual:
            deprecated = usual.deprecated
        else:
            deprecated = frozenset() if errors else deprecated_fields(self.schema, node)
        return ParsedDocument(
            node=node,
            length=len(text),
            errors=errors,
            introspects=usual is None and introspects(node),
            plans=Plans(node),
            costs=OperationCosts(self._costs, node, self.limits.fields),
            deprecated=deprecated,
        )

    def _errors(self, node: DocumentNode, excess: str | None) -> tuple[GraphQLError, ...]:
        if excess:
            return (GraphQLError(excess, extensions={"code": TooComplex.code}),)
        errors = validate(
            self.schema,
            node,
            RULES,
            max_errors=REPORTED_ERRORS,
            hide_suggestions=not self.suggestions,
        )
        return tuple(errors)


def _size(document: ParsedDocument) -> int:
    # With this least size, at most CACHED_DOCUMENTS short documents fit.
    return max(document.length, CACHED_CHARACTERS // CACHED_DOCUMENTS)
