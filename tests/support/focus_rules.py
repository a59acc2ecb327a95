"""The machine-readable rules of FOCUS 1.2 as a judge of a CSV file.

Every rule of the model gets one verdict, so that none is passed over in silence:

    PASSED          it holds on each of the rows that it is about
    FAILED          a MUST that does not hold
    ADVISED         a SHOULD or RECOMMENDED that does not hold
    NOT_APPLICABLE  a criterion that is not claimed, a column that the file need not have, or no row
                    that it is about
    UNDECIDABLE     neither the model nor this judge has a check for it, or the model has one that
                    the judge does not know

The model's MAYs permit; they are PASSED. An alternative (a rule that an OR of rules names) is
judged by that OR, row by row. A column that is not there is null in others' conditions.
"""

import csv
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from typing import Any, Final

from tests.support.focus_checks import DATA, ROW_CHECKS, Row, Spec, column_of
from tests.support.focus_extra import FORMATS, REQUIREMENTS

MODEL: Final = DATA / "model-1.2.0.1.json"


class Verdict(StrEnum):
    PASSED = "PASSED"
    FAILED = "FAILED"
    ADVISED = "ADVISED"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    UNDECIDABLE = "UNDECIDABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was found of a rule, and why; `rows` are the first that break it, counted from 1."""

    rule: str
    verdict: Verdict
    reason: str = ""
    rows: tuple[int, ...] = ()

    def __str__(self) -> str:
        rows = f" (rows {', '.join(map(str, self.rows))})" if self.rows else ""
        return f"{self.verdict} {self.rule}: {self.reason}{rows}"


@dataclass(frozen=True, slots=True)
class Report:
    """The judgements of all the model's rules, in its order."""

    judgements: Mapping[str, Judgement]

    def of(self, *verdicts: Verdict) -> dict[str, Judgement]:
        return {rule: each for rule, each in self.judgements.items() if each.verdict in verdicts}

    def failed(self) -> list[str]:
        """Return the ids of the rules that failed, without those that only sum up others."""
        composite = set(the_model().composites)
        return [rule for rule in self.of(Verdict.FAILED) if rule not in composite]

    def __str__(self) -> str:
        counts = Counter(each.verdict for each in self.judgements.values())
        figures = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)
        return f"{len(self.judgements)} rules: {figures}"


class Model:
    """The model's rules and which of them name which."""

    def __init__(self) -> None:
        model = json.loads(MODEL.read_text("utf-8"))
        self.criteria: frozenset[str] = frozenset(model["ApplicabilityCriteria"])
        self.rules: Mapping[str, Any] = model["ModelRules"]

    @cached_property
    def composites(self) -> list[str]:
        return [rule for rule, each in self.rules.items() if each["Function"] == "Composite"]

    @cached_property
    def parents(self) -> Mapping[str, set[str]]:
        parents: dict[str, set[str]] = defaultdict(set)
        for rule in self.rules:
            for child in self.children(rule):
                parents[child].add(rule)
        return parents

    def criterion(self, rule: str) -> Spec:
        spec: Spec = self.rules[rule]["ValidationCriteria"]
        return spec

    def children(self, rule: str) -> list[str]:
        return [
            each["ModelRuleId"]
            for each in _checks(self.criterion(rule)["Requirement"])
            if each["CheckFunction"] == "CheckModelRule"
        ]

    @cached_property
    def alternatives(self) -> Mapping[str, str]:
        """The rules of which one must hold, by id: the rule that says so."""
        return {
            child: rule
            for rule in self.rules
            if self.criterion(rule)["Requirement"].get("CheckFunction") == "OR"
            for child in self.children(rule)
        }

    @cached_property
    def users(self) -> Mapping[str, list[str]]:
        """Each format's rules: the rules that hold a column to the format."""
        return {
            part: [
                rule
                for rule in self.rules
                if self.criterion(rule)["Requirement"].get("CheckFunction") == check
            ]
            for check, parts in FORMATS.items()
            for part in parts
        }

    @cached_property
    def mandatory(self) -> Mapping[str, str]:
        """Each column's rule of presence."""
        return {
            column_of(check): rule
            for rule in self.rules
            for check in _checks(self.criterion(rule)["Requirement"])
            if check["CheckFunction"] == "ColumnPresent"
        }


@cache
def the_model() -> Model:
    """Return the model, read once."""
    return Model()


def judge(text: str, criteria: Collection[str]) -> Report:
    """Judge a CSV file's text (without BOM) by all the rules; `criteria` are what its provider
    claims to support. An empty cell is null.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = [{name: cell or None for name, cell in row.items()} for row in reader]
    return _Judge(the_model(), reader.fieldnames or (), rows, frozenset(criteria)).report()


class _Judge:
    def __init__(
        self, model: Model, columns: Collection[str], rows: list[Row], criteria: frozenset[str]
    ) -> None:
        if unknown := criteria - model.criteria:
            raise ValueError(f"no such criteria: {unknown}")
        self.model, self.columns, self.rows, self.claimed = model, columns, rows, criteria
        self.found: dict[str, Judgement] = {}
        self.scopes: dict[str, list[int]] = {}

    def report(self) -> Report:
        return Report({rule: self.judge(rule) for rule in self.model.rules})

    def judge(self, rule: str) -> Judgement:
        if rule not in self.found:
            self.found[rule] = self._judge(rule)
        return self.found[rule]

    def _judge(self, rule: str) -> Judgement:
        if missing := self._missing(rule):
            return _not_applicable(rule, f"{', '.join(sorted(missing))} is not claimed")
        requirement = self.model.criterion(rule)["Requirement"] or REQUIREMENTS.get(rule)
        if not requirement:
            return self._prose(rule)
        functions = {check["CheckFunction"] for check in _checks(requirement)}
        if unknown := functions - ROW_CHECKS.keys() - _OTHER_CHECKS:
            return Judgement(
                rule=rule, verdict=Verdict.UNDECIDABLE, reason=f"unknown check {sorted(unknown)}"
            )
        if "ColumnPresent" in functions:
            return self._presence(rule, requirement)
        if parent := self.model.alternatives.get(rule):
            whole = self.judge(parent)
            return Judgement(rule=rule, verdict=whole.verdict, reason=f"an alternative of {parent}")
        if "CheckModelRule" in functions and requirement["CheckFunction"] == "AND":
            return self._sum_up(rule)
        return self._rows_of(rule, requirement)

    def _prose(self, rule: str) -> Judgement:
        """Judge a rule that the model has no check for."""
        if self.model.criterion(rule)["Keyword"] == "MAY":
            return Judgement(rule=rule, verdict=Verdict.PASSED, reason="it permits")
        if not self._scope(rule):
            return _not_applicable(rule, "no row meets its condition")
        if rule in _OF_COLUMN_NAMES:
            bad = [name for name in self.columns if not _OF_COLUMN_NAMES[rule].fullmatch(name)]
            names = self._broken(rule, f"columns {bad}") if bad else None
            return names or Judgement(rule=rule, verdict=Verdict.PASSED)
        users = [self.judge(each) for each in self.model.users.get(rule, ())]
        for verdict in (Verdict.FAILED, Verdict.ADVISED, Verdict.PASSED):
            if found := [each.rule for each in users if each.verdict is verdict]:
                reason = ", ".join(found) if verdict is not Verdict.PASSED else ""
                return Judgement(rule=rule, verdict=verdict, reason=reason)
        return Judgement(rule=rule, verdict=Verdict.UNDECIDABLE, reason="there is no check for it")

    def _missing(self, rule: str) -> frozenset[str]:
        """Return the criteria of a rule, or else of all rules that name it, that are not there."""
        own = frozenset(self.model.rules[rule]["ApplicabilityCriteria"]) - self.claimed
        above = [self._missing(parent) for parent in self.model.parents[rule]]
        return own or (frozenset().union(*above) if above and all(above) else frozenset())

    def _presence(self, rule: str, requirement: Spec) -> Judgement:
        column = column_of(requirement)
        if column in self.columns:
            return Judgement(rule=rule, verdict=Verdict.PASSED)
        return self._broken(rule, f"there is no column {column}")

    def _sum_up(self, rule: str) -> Judgement:
        of = {child: self.judge(child).verdict for child in self.model.children(rule)}
        for verdict in (Verdict.FAILED, Verdict.ADVISED, Verdict.PASSED, Verdict.UNDECIDABLE):
            if children := [child for child, each in of.items() if each is verdict]:
                reason = ", ".join(children) if verdict is not Verdict.PASSED else ""
                return Judgement(rule=rule, verdict=verdict, reason=reason)
        return _not_applicable(rule, "nothing that it sums up applies")

    def _rows_of(self, rule: str, requirement: Spec) -> Judgement:
        if absent := {c for c in self._columns_of(requirement) if c not in self.columns}:
            reason = f"there is no column {', '.join(sorted(absent))}"
            must = {self.model.mandatory[column] for column in absent}
            if any(self.judge(each).verdict is Verdict.FAILED for each in must):
                reason += f", see {', '.join(sorted(must))}"
            return _not_applicable(rule, reason)
        scope = self._scope(rule)
        if not scope:
            return _not_applicable(rule, "no row meets its condition")
        broken = self._broken_rows(requirement, scope)
        if not broken:
            return Judgement(rule=rule, verdict=Verdict.PASSED)
        return self._broken(rule, self.model.criterion(rule)["MustSatisfy"], broken)

    def _broken_rows(self, requirement: Spec, scope: list[int]) -> list[int]:
        if requirement["CheckFunction"] == "CheckDistinctCount":
            a, b = requirement["ColumnAName"], requirement["ColumnBName"]
            seen: dict[str | None, set[str | None]] = defaultdict(set)
            for index in scope:
                seen[self.rows[index][a]].add(self.rows[index][b])
            wanted = requirement["ExpectedCount"]
            return [i for i in scope if len(seen[self.rows[i][a]] - {None}) != wanted]
        return [i for i in scope if not self._holds(requirement, self.rows[i])]

    def _broken(self, rule: str, reason: str, rows: Collection[int] = ()) -> Judgement:
        keyword = self.model.criterion(rule)["Keyword"]
        if keyword == "MAY":
            return Judgement(rule=rule, verdict=Verdict.PASSED, reason="it permits")
        verdict = Verdict.FAILED if keyword.startswith("MUST") else Verdict.ADVISED
        first = tuple(index + 1 for index in list(rows)[:5])
        return Judgement(rule=rule, verdict=verdict, reason=reason, rows=first)

    def _scope(self, rule: str) -> list[int]:
        """Return the rows that meet a rule's condition, and those of a rule that names it."""
        if rule not in self.scopes:
            parents = self.model.parents[rule]
            above = {i for parent in parents for i in self._scope(parent)}
            outer = sorted(above) if parents else range(len(self.rows))
            condition = self.model.criterion(rule)["Condition"]
            self.scopes[rule] = [
                i for i in outer if not condition or self._holds(condition, self.rows[i])
            ]
        return self.scopes[rule]

    def _holds(self, check: Spec, row: Row) -> bool:
        match check["CheckFunction"]:
            case "AND":
                return all(self._holds(each, row) for each in check["Items"])
            case "OR":
                return any(self._holds(each, row) for each in check["Items"])
            case "CheckModelRule":
                named = self.model.criterion(check["ModelRuleId"])["Requirement"]
                return self._holds(named, row)
            case function:
                return ROW_CHECKS[function](check, row)

    def _columns_of(self, requirement: Spec) -> set[str]:
        return {
            value
            for check in self._flat(requirement)
            for key, value in check.items()
            if key in _COLUMN_KEYS
        }

    def _flat(self, requirement: Spec) -> Iterator[Spec]:
        for check in _checks(requirement):
            if check["CheckFunction"] == "CheckModelRule":
                yield from self._flat(self.model.criterion(check["ModelRuleId"])["Requirement"])
            else:
                yield check


_OF_COLUMN_NAMES: Final = {
    "ColumnHandling-A-001-M": re.compile("(?:x_)?[A-Z][A-Za-z0-9]*"),
    "ColumnHandling-A-003-M": re.compile("(?:x_)?[A-Za-z0-9]+"),
    "ColumnHandling-A-005-O": re.compile(".{1,50}"),
}
_OTHER_CHECKS: Final = {"AND", "OR", "CheckModelRule", "ColumnPresent", "CheckDistinctCount"}
_COLUMN_KEYS: Final = {"ColumnName", "ColumnAName", "ColumnBName", "ResultColumnName"}


def _checks(check: Spec) -> Iterator[Spec]:
    """Yield a check and all that it is made of."""
    if check:
        yield check
        for each in check.get("Items", ()):
            yield from _checks(each)


def _not_applicable(rule: str, reason: str) -> Judgement:
    return Judgement(rule=rule, verdict=Verdict.NOT_APPLICABLE, reason=reason)
