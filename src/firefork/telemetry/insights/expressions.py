"""Expressions, compiled to functions of a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import regex

from firefork.telemetry.insights.aggregates import AGGREGATE_NAMES, AGGREGATES, Aggregate, Count, Evaluate, Percentile
from firefork.telemetry.insights.functions import ARITHMETIC, FUNCTIONS
from firefork.telemetry.insights.rows import Row
from firefork.telemetry.insights.syntax import (
    Binary,
    Every,
    Expression,
    Field,
    Function,
    In,
    Literal,
    MalformedQuery,
    Pattern,
    Period,
    Unary,
)
from firefork.telemetry.insights.values import Value, as_number, as_text, compare, is_true
from firefork.telemetry.regular_expression import search


def compile_expression(expression: Expression) -> Evaluate:
    """Raises MalformedQuery for functions that do not exist, or not here, or with other arguments."""
    match expression:
        case Field(name):
            return lambda row: row.get(name)
        case Literal(value):
            constant: Value = int(value) if isinstance(value, bool) else value
            return lambda row: constant
        case Period(ms):
            return lambda row: ms
        case Unary("not", operand):
            inner = compile_expression(operand)
            return lambda row: int(not is_true(inner(row)))
        case Unary(_, operand):
            minus, inner = ARITHMETIC["-"], compile_expression(operand)
            return lambda row: minus(0, inner(row))
        case In(operand, choices):
            return _among(compile_expression(operand), [compile_expression(choice) for choice in choices])
        case Binary(operator, left, right):
            return _binary(operator, left, right)
        case Function(name, arguments):
            return _function(name, arguments)
        case _:
            raise MalformedQuery("a * stands only in count(*)")


def _among(value: Evaluate, choices: Sequence[Evaluate]) -> Evaluate:
    return lambda row: int(any(compare("=", value(row), choice(row)) for choice in choices))


def _binary(operator: str, left: Expression, right: Expression) -> Evaluate:
    if operator == "like":
        return _like(compile_expression(left), right)
    one, other = compile_expression(left), compile_expression(right)
    if operator == "and":
        return lambda row: int(is_true(one(row)) and is_true(other(row)))
    if operator == "or":
        return lambda row: int(is_true(one(row)) or is_true(other(row)))
    if operator in ARITHMETIC:
        work = ARITHMETIC[operator]
        return lambda row: work(one(row), other(row))
    return lambda row: int(compare(operator, one(row), other(row)))


def _like(value: Evaluate, matcher: Expression) -> Evaluate:
    if isinstance(matcher, Pattern):
        pattern = regex.compile(matcher.text)
        return lambda row: int(search(pattern, as_text(value(row))) is not None)
    part = compile_expression(matcher)
    return lambda row: int(as_text(part(row)) in as_text(value(row)))


def _function(name: str, arguments: Sequence[Expression]) -> Evaluate:
    if name == "bin":
        return _function("datefloor", [Field("@timestamp"), *arguments])
    if name in AGGREGATE_NAMES:
        raise MalformedQuery(f"the function {name} stands only in the stats command, and not in another one of it")
    signature = FUNCTIONS.get(name)
    if signature is None:
        raise MalformedQuery(f"unknown function {name}")
    if not signature.takes(len(arguments)):
        raise MalformedQuery(f"the function {name} does not take {len(arguments)} arguments")
    call, values = signature.call, [compile_expression(argument) for argument in arguments]
    return lambda row: call(*(value(row) for value in values))


# ---- aggregates


@dataclass(slots=True)
class Aggregation:
    """One column of the stats command: aggregates over a group's rows, and what is computed of their results."""

    _makers: list[Callable[[], Aggregate]] = field(default_factory=list)
    _result: Evaluate = lambda row: None

    @classmethod
    def of(cls, expression: Expression) -> Aggregation:
        """Raises MalformedQuery, also for an expression without an aggregate."""
        aggregation = cls()
        aggregation._result = compile_expression(aggregation._extract(expression))
        if not aggregation._makers:
            raise MalformedQuery("stats needs aggregation functions, such as count(*)")
        return aggregation

    def start(self) -> list[Aggregate]:
        return [make() for make in self._makers]

    def result(self, aggregates: Sequence[Aggregate]) -> Value:
        return self._result(Row({_slot(index): made.result() for index, made in enumerate(aggregates)}))

    def _extract(self, expression: Expression) -> Expression:
        """The expression with fields in place of the aggregates in it."""
        match expression:
            case Function(name, arguments) if name in AGGREGATE_NAMES:
                self._makers.append(_maker(name, arguments))
                return Field(_slot(len(self._makers) - 1))
            case Function(name, arguments):
                return Function(name, [self._extract(argument) for argument in arguments])
            case Unary(operator, operand):
                return Unary(operator, self._extract(operand))
            case Binary(operator, left, right):
                return Binary(operator, self._extract(left), self._extract(right))
            case _:
                return expression


def _slot(index: int) -> str:
    return f"\0{index}"


def _maker(name: str, arguments: Sequence[Expression]) -> Callable[[], Aggregate]:
    if name == "count" and (not arguments or isinstance(arguments[0], Every)):
        return Count
    if name in ("pct", "percentile"):
        if len(arguments) != 2:
            raise MalformedQuery(f"{name} takes a field and a number of percent")
        percent = as_number(compile_expression(arguments[1])(Row({})))
        if percent is None or not 0 <= percent <= 100:
            raise MalformedQuery(f"{name} takes a number from 0 to 100")
        value = compile_expression(arguments[0])
        return lambda: Percentile(value, percent)
    if len(arguments) != 1:
        raise MalformedQuery(f"the function {name} takes one argument")
    evaluate, kind = compile_expression(arguments[0]), AGGREGATES[name]
    return lambda: kind(evaluate)
