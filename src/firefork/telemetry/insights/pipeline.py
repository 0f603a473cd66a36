"""Commands as a pipeline: each takes rows one by one and gives rows."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import regex

from firefork.telemetry.insights.aggregates import Aggregate, Evaluate
from firefork.telemetry.insights.expressions import Aggregation, compile_expression
from firefork.telemetry.insights.parser import MOST_ROWS
from firefork.telemetry.insights.rows import Row
from firefork.telemetry.insights.syntax import (
    Command,
    Dedup,
    Display,
    Fields,
    Filter,
    Limit,
    Parse,
    Sort,
    Stats,
)
from firefork.telemetry.insights.values import Value, as_text, is_true, rank
from firefork.telemetry.regular_expression import search

KEPT_LIMIT: Final = 200_000
"""Rows, groups or values that one command may hold at a time."""
DEFAULT_ROWS: Final = 10_000
"""Of a query that does not limit them."""
_DEFAULT_COLUMNS: Final = ("@timestamp", "@message")

Stage = Callable[[Iterable[Row]], Iterator[Row]]


class QueryTooLarge(Exception):
    """A command would have to hold more than KEPT_LIMIT rows or groups."""


@dataclass(slots=True)
class Pipeline:
    """A query that is ready to run. ``columns`` are those of its result."""

    columns: Sequence[str]
    aggregated: bool
    """Whether its rows are groups, not log events."""
    matched: int = 0
    """Rows that passed the filters so far."""
    _stages: list[Stage] = field(default_factory=list)

    @classmethod
    def of(cls, commands: Sequence[Command], limit: int = DEFAULT_ROWS) -> Pipeline:
        """``limit`` counts where the query has none. Raises MalformedQuery."""
        pipeline = cls(columns=(), aggregated=False)
        counted = _after_filters(commands)
        if not any(isinstance(command, Limit) for command in commands):
            commands = [*commands, Limit(limit)]
        for index, command in enumerate(commands):
            if index == counted:
                pipeline._stages.append(pipeline._count)
            pipeline._add(command, commands[index + 1 :])
        pipeline.columns = pipeline.columns or _DEFAULT_COLUMNS
        return pipeline

    def run(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Raises QueryTooLarge, ExpressionTooSlow, on the way."""
        for stage in self._stages:
            rows = stage(rows)
        return iter(rows)

    def _add(self, command: Command, following: Sequence[Command]) -> None:
        match command:
            case Fields(selections):
                made = [(each.name, compile_expression(each.expression)) for each in selections]
                self.columns = list(dict.fromkeys([*self.columns, *(name for name, _ in made)]))
                self._stages.append(lambda rows: _with_values(rows, made))
            case Display(names):
                self.columns = names
            case Filter(condition):
                holds = compile_expression(condition)
                self._stages.append(lambda rows: (row for row in rows if is_true(holds(row))))
            case Parse(source, pattern, groups):
                compiled, value = regex.compile(pattern), compile_expression(source)
                self._stages.append(lambda rows: _parsed(rows, compiled, value, groups))
            case Stats(selections, by):
                columns = [(each.name, Aggregation.of(each.expression)) for each in selections]
                keys = [(each.name, compile_expression(each.expression)) for each in by]
                self.columns = [*(name for name, _ in keys), *(name for name, _ in columns)]
                self.aggregated = True
                self._stages.append(lambda rows: _grouped(rows, keys, columns))
            case Sort(keys):
                order = [(compile_expression(expression), down) for expression, down in keys]
                # Whatever comes after, no more rows than that can be in the result.
                is_final = all(isinstance(each, (Fields, Display, Parse, Limit)) for each in following)
                keep = MOST_ROWS if is_final else None
                self._stages.append(lambda rows: _sorted(rows, order, keep))
            case Limit(count):
                self._stages.append(lambda rows: itertools.islice(rows, count))
            case Dedup(names):
                self._stages.append(lambda rows: _distinct(rows, names))

    def _count(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self.matched += 1
            yield row


def _after_filters(commands: Sequence[Command]) -> int:
    """Where the rows have passed the filters on log events."""
    place = 0
    for index, command in enumerate(commands):
        if isinstance(command, (Stats, Sort, Limit, Dedup)):
            break
        if isinstance(command, Filter):
            place = index + 1
    return place


def _with_values(rows: Iterable[Row], made: Sequence[tuple[str, Evaluate]]) -> Iterator[Row]:
    for row in rows:
        for name, evaluate in made:
            value = evaluate(row)
            if value is not None:
                row.made[name] = value
        yield row


def _parsed(
    rows: Iterable[Row], pattern: regex.Pattern[str], source: Evaluate, names: Sequence[tuple[int, str]]
) -> Iterator[Row]:
    for row in rows:
        found = search(pattern, as_text(source(row)))
        if found is not None:
            for group, name in names:
                row.made[name] = found[group]
        yield row


def _grouped(
    rows: Iterable[Row], keys: Sequence[tuple[str, Evaluate]], columns: Sequence[tuple[str, Aggregation]]
) -> Iterator[Row]:
    groups: dict[tuple[Value, ...], list[list[Aggregate]]] = {}
    for row in rows:
        key = tuple(evaluate(row) for _, evaluate in keys)
        group = groups.get(key)
        if group is None:
            if len(groups) == KEPT_LIMIT:
                raise QueryTooLarge
            group = groups[key] = [aggregation.start() for _, aggregation in columns]
        for aggregates in group:
            for aggregate in aggregates:
                aggregate.add(row)
    if not groups and not keys:
        groups[()] = [aggregation.start() for _, aggregation in columns]
    for key, group in groups.items():
        made: dict[str, Value] = {name: value for (name, _), value in zip(keys, key, strict=True)}
        for (name, aggregation), aggregates in zip(columns, group, strict=True):
            made[name] = aggregation.result(aggregates)
        yield Row(made)


def _sorted(rows: Iterable[Row], order: Sequence[tuple[Evaluate, bool]], keep: int | None) -> Iterator[Row]:
    def key(row: Row) -> tuple[object, ...]:
        return tuple(_place(evaluate(row), down) for evaluate, down in order)

    if keep is not None:
        yield from heapq.nsmallest(keep, rows, key)
        return
    held = list(itertools.islice(rows, KEPT_LIMIT + 1))
    if len(held) > KEPT_LIMIT:
        raise QueryTooLarge
    yield from sorted(held, key=key)


def _place(value: Value, down: bool) -> tuple[bool, object]:
    """What is missing comes last, up and down."""
    if value is None:
        return (True, _Reversed((0, 0.0, "")) if down else (0, 0.0, ""))
    return (False, _Reversed(rank(value)) if down else rank(value))


class _Reversed:
    """Sorts the other way round."""

    __slots__ = ("_of",)

    def __init__(self, of: tuple[int, float, str]) -> None:
        self._of = of

    def __lt__(self, other: _Reversed) -> bool:
        return other._of < self._of

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and other._of == self._of

    def __hash__(self) -> int:
        return hash(self._of)


def _distinct(rows: Iterable[Row], names: Sequence[str]) -> Iterator[Row]:
    """The first row of each combination; rows that have none of the fields all stay."""
    seen: set[tuple[Value, ...]] = set()
    for row in rows:
        key = tuple(row.get(name) for name in names)
        if key in seen and any(value is not None for value in key):
            continue
        if len(seen) == KEPT_LIMIT:
            raise QueryTooLarge
        seen.add(key)
        yield row
