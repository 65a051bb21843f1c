"""A small language over feature columns, in which a catalogue says whom an action suits.

Text is parsed by Python's own parser and then walked by hand: what is not on the white list never runs.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.grammar import ORDERINGS, read_condition
from tables.errors import ConfigError

Truths = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.floating]
Texts = npt.NDArray[np.object_]
_COMPARISONS: dict[type[ast.cmpop], np.ufunc] = {
    ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal,
    ast.Eq: np.equal, ast.NotEq: np.not_equal,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], np.ufunc] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
}  # fmt: skip


@dataclass(frozen=True)
class Expression:
    """A condition on one customer's columns, such as ``lifecycle == 'lapsed' and orders_total >= 3``.

    Attributes:
        text: the condition as written.
        columns: the columns it names.
    """

    text: str
    columns: frozenset[str]
    _tree: ast.expr = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a condition.

        Args:
            text: the condition, on one line; :mod:`actions.grammar` says what it may hold.

        Raises:
            ConfigError: if anything in it is not allowed; says at which character, and what is allowed.

        Examples:
            >>> sorted(Expression.parse("1 <= orders_total < 3 and not missing(gap_days_mean)").columns)
            ['gap_days_mean', 'orders_total']
            >>> Expression.parse("open('x')")
            Traceback (most recent call last):
            ...
            tables.errors.ConfigError: "open('x')", character 1: a call is not allowed. ...
        """
        tree = read_condition(text)
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {"missing"}
        return cls(text, frozenset(names), tree)

    def evaluate(self, columns: Mapping[str, Any]) -> Truths:
        """Tell for every row whether the condition holds.

        A missing value makes every comparison with it false, ``!=`` and ``not in`` included; a division by
        zero is missing; a missing flag is false.

        Args:
            columns: arrays or series of one length, by name; numbers, flags or texts.

        Returns:
            One truth per row.

        Raises:
            ConfigError: if a column is absent, or text meets a number.

        Examples:
            >>> late = Expression.parse("gap > 1.5 and segment in ['loyal', 'champions']")
            >>> late.evaluate({"gap": [2, 2, np.nan], "segment": ["loyal", "new", "loyal"]}).tolist()
            [True, False, False]
        """
        absent = sorted(self.columns - set(columns))
        if absent:
            raise ConfigError(f"{self.text!r}: there are no columns {absent}. Use one of {sorted(columns)}.")
        rows = len(next(iter(columns.values())))
        values = {name: column_values(columns[name]) for name in self.columns}
        return np.broadcast_to(_Evaluation(self.text, values).truth(self._tree), rows)


def column_values(column: Any) -> Numbers | Texts:
    """Turn one column into what expressions work on: floats (flags as 0 and 1), or texts as objects.

    Columns of floats are returned as they are: a million rows of many features are not copied.

    Args:
        column: array, list or series of numbers, flags or texts; missing as NaN, None or NA.

    Raises:
        ConfigError: if it holds anything else, such as dates.
    """
    series = pd.Series(column)
    if isinstance(series.dtype, np.dtype) and series.dtype.kind == "f":
        return np.asarray(series.to_numpy())
    kind = pd.api.types.infer_dtype(series, skipna=True)
    if pd.api.types.is_numeric_dtype(series.dtype) or kind in {"boolean", "integer", "floating", "empty"}:
        return np.asarray(series.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan))
    if kind in {"string", "categorical"}:
        return np.asarray(series.astype(object).to_numpy(), dtype=object)
    raise ConfigError(f"a column of {kind} cannot be compared. Use numbers, flags or texts.")


@dataclass(frozen=True)
class _Evaluation:
    text: str
    values: Mapping[str, Numbers | Texts]

    def truth(self, node: ast.expr) -> Truths:
        match node:
            case ast.BoolOp(op=op, values=values):
                combine = np.logical_and if isinstance(op, ast.And) else np.logical_or
                return np.asarray(combine.reduce(np.broadcast_arrays(*map(self.truth, values))))
            case ast.UnaryOp(operand=operand):
                return np.logical_not(self.truth(operand))
            case ast.Compare():
                return self.comparison(node)
            case ast.Call(args=[argument]):
                return np.asarray(pd.isna(self.value(argument)))
            case ast.Name():
                flags = self.numbers(node)
                return np.asarray((flags != 0) & ~np.isnan(flags))
            case _:
                return np.asarray(self.value(node) != 0)

    def comparison(self, node: ast.Compare) -> Truths:
        left = self.value(node.left)
        holds: Truths = np.asarray(True)
        for op, operand in zip(node.ops, node.comparators, strict=True):
            if isinstance(operand, ast.List):
                return self.membership(left, operand.elts, wanted=isinstance(op, ast.In))
            right = self.value(operand)
            holds = holds & self.compared(op, left, right)
            left = right
        return holds

    def compared(self, op: ast.cmpop, left: Numbers | Texts, right: Numbers | Texts) -> Truths:
        present = ~(pd.isna(left) | pd.isna(right))
        if not present.any():
            return np.zeros(np.shape(present), dtype=bool)
        is_text = left.dtype == object
        if is_text != (right.dtype == object):
            raise ConfigError(f"{self.text!r}: text is compared with a number. Compare like with like.")
        if is_text and type(op) in ORDERINGS:
            raise ConfigError(f"{self.text!r}: texts have no order here. Compare texts with == or !=.")
        return np.asarray(_COMPARISONS[type(op)](left, right).astype(bool) & present)

    def membership(self, left: Numbers | Texts, choices: Sequence[ast.expr], *, wanted: bool) -> Truths:
        equal = [self.compared(ast.Eq(), left, self.value(choice)) for choice in choices]
        found = np.logical_or.reduce(equal)
        return found if wanted else np.asarray(~found & ~pd.isna(left))

    def numbers(self, node: ast.expr) -> Numbers:
        value: Numbers = self.value(node)
        if value.dtype == object:
            raise ConfigError(
                f"{self.text!r}: a text stands where a number or flag is needed. Compare it first."
            )
        return value

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name):
                return self.values[name]
            case ast.Constant(value=str() as text):
                return np.asarray(text, dtype=object)
            case ast.Constant(value=constant):
                return np.asarray(constant, dtype=np.float64)
            case ast.UnaryOp(operand=operand):
                return -self.numbers(operand)
            case ast.BinOp(op=op, left=left, right=right):
                with np.errstate(all="ignore"):
                    result = _ARITHMETIC[type(op)](self.numbers(left), self.numbers(right))
                return np.where(np.isfinite(result), result, np.nan)
            case _:
                raise AssertionError(f"{ast.dump(node)} passed the reader")
