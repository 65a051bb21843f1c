"""What a condition may consist of: one text is parsed and every node off the white list is refused."""

import ast
import warnings
from typing import Final

from tables.errors import ConfigError

_LONGEST = 1_000
_DEEPEST = 40
_ALLOWED = (
    "column names, numbers, quoted texts, True, False, + - * /, comparisons, `x in [...]`, and, or, not, "
    "missing(x)"
)
ORDERINGS: Final = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
EQUALITIES: Final = (ast.Eq, ast.NotEq)
ARITHMETIC: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div)


def read_condition(text: str) -> ast.expr:
    """Parse a condition and check every part of it.

    Args:
        text: the condition, on one line.

    Returns:
        A tree that holds nothing but what the language allows.

    Raises:
        ConfigError: if it is no expression or holds anything else; names the character and what is allowed.
    """
    return _Reader(text).read()


class _Reader:
    """Parse one text and refuse every node that is not on the white list."""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self) -> ast.expr:
        if len(self.text) > _LONGEST or "\\" in self.text:
            raise ConfigError(
                f"{self.text[:40]!r}...: over {_LONGEST} characters, or a backslash. Shorten it."
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                tree = ast.parse(self.text.strip(), mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError, Warning) as error:
            at = getattr(error, "offset", None) or 1
            what = getattr(error, "msg", None) or error
            raise ConfigError(f"{self.text!r}, character {at}: {what}. Allowed are {_ALLOWED}.") from error
        self.truth(tree, _DEEPEST)
        return tree

    def truth(self, node: ast.expr, depth: int) -> None:
        """Check a node where yes or no is wanted."""
        self.shallow(node, depth)
        match node:
            case ast.BoolOp(values=values):
                for value in values:
                    self.truth(value, depth - 1)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.truth(operand, depth - 1)
            case ast.Compare():
                self.comparison(node, depth - 1)
            case ast.Call(func=ast.Name(id="missing"), args=[ast.Name(id=name)], keywords=[]) if (
                name != "missing"
            ):
                return
            case ast.Name(id=name) if name != "missing":
                return
            case ast.Constant(value=bool()):
                return
            case _:
                raise self.refused(node, _kind(node))

    def comparison(self, node: ast.Compare, depth: int) -> None:
        if any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
            self.membership(node, depth)
            return
        operands = [node.left, *node.comparators]
        for op, left, right in zip(node.ops, operands, operands[1:], strict=False):
            if type(op) not in (*ORDERINGS, *EQUALITIES):
                raise self.refused(right, "`is`")
            if type(op) in ORDERINGS and (_is_text(left) or _is_text(right)):
                raise self.refused(right, "ordering texts")
        for operand in operands:
            if not _is_text(operand) and not _is_flag(operand):
                self.number(operand, depth)

    def membership(self, node: ast.Compare, depth: int) -> None:
        choices = node.comparators[0]
        if len(node.ops) > 1 or not isinstance(choices, ast.List) or not choices.elts:
            raise self.refused(choices, "`in` without a list of its own, as in x in ['a', 'b'],")
        self.number(node.left, depth)
        texts = [_is_text(choice) for choice in choices.elts]
        if any(texts) and not all(texts):
            raise self.refused(choices, "a list of both texts and numbers")
        for choice in choices.elts:
            if not isinstance(choice, ast.Constant) and not isinstance(choice, ast.UnaryOp):
                raise self.refused(choice, _kind(choice))
            if not any(texts):
                self.number(choice, 1)

    def number(self, node: ast.expr, depth: int) -> None:
        """Check a node where a number or a column is wanted."""
        self.shallow(node, depth)
        match node:
            case ast.BinOp(op=op, left=left, right=right) if type(op) in ARITHMETIC:
                self.number(left, depth - 1)
                self.number(right, depth - 1)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self.number(operand, depth - 1)
            case ast.Name(id=name) if name != "missing":
                return
            case ast.Constant(value=float() | int() as value) if (
                not isinstance(value, bool) and abs(value) < 1e300
            ):
                return
            case _:
                raise self.refused(node, _kind(node))

    def shallow(self, node: ast.expr, depth: int) -> None:
        if depth < 0:
            raise self.refused(node, "nesting this deep")

    def refused(self, node: ast.expr, what: str) -> ConfigError:
        before = self.text.strip().encode()[: node.col_offset].decode(errors="ignore")
        return ConfigError(
            f"{self.text!r}, character {len(before) + 1}: {what} is not allowed. Allowed are {_ALLOWED}."
        )


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_flag(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def _kind(node: ast.expr) -> str:
    names = {
        ast.Call: "a call",
        ast.Attribute: "an attribute",
        ast.Subscript: "an index",
        ast.Lambda: "a lambda",
    }
    values = {
        ast.Constant: "this value here",
        ast.Name: "this name",
        ast.Compare: "a comparison inside a value",
    }
    return {**names, **values}.get(type(node), f"`{type(node).__name__}` here")
