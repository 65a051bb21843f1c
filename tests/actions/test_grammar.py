import ast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from actions.grammar import read_condition
from tables.errors import ConfigError

ALLOWED_NODES = (
    ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.Lt, ast.LtE, ast.Gt,
    ast.GtE, ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Name,
    ast.Load, ast.Constant, ast.List, ast.Call,
)  # fmt: skip
FORBIDDEN = {
    ast.Attribute: "a.b",
    ast.Subscript: "a[0]",
    ast.Slice: "a[1:2]",
    ast.Lambda: "(lambda: 1)",
    ast.IfExp: "(1 if a else 2)",
    ast.Dict: "{1: 2}",
    ast.Set: "{1, 2}",
    ast.Tuple: "(1, 2)",
    ast.ListComp: "[b for b in a]",
    ast.SetComp: "{b for b in a}",
    ast.DictComp: "{b: b for b in a}",
    ast.GeneratorExp: "(b for b in a)",
    ast.NamedExpr: "(b := a)",
    ast.JoinedStr: "f'{a}'",
    ast.FormattedValue: "f'{a!r}'",
    ast.Await: "(await a)",
    ast.Yield: "(yield a)",
    ast.YieldFrom: "(yield from a)",
    ast.Starred: "[*a]",
    ast.Mod: "(a % 2)",
    ast.Pow: "(a ** 2)",
    ast.FloorDiv: "(a // 2)",
    ast.MatMult: "(a @ a)",
    ast.LShift: "(a << 2)",
    ast.RShift: "(a >> 2)",
    ast.BitOr: "(a | 2)",
    ast.BitXor: "(a ^ 2)",
    ast.BitAnd: "(a & 2)",
    ast.Invert: "(~a)",
    ast.UAdd: "(+a)",
    ast.Is: "(a is None)",
    ast.IsNot: "(a is not a)",
}
OTHER_FORBIDDEN = (
    "f(a)", "missing()", "missing(1)", "missing(a, a)", "missing(x=a)", "missing(*a)", "missing(missing)",
    "missing", "None", "...", "b'a'", "1j", "'text'", "(a + 'b')", "(-'b')", "(a < 'b')", "('a' < b)",
    "(a in b)", "(a in [])", "(a in ['b', 1])", "(a in [b])", "(1 < a in [2])", "(a in (1, 2))",
    "((a > 1) > 0)", "((a > 1) + 1)", "1e999", "(a in [[1]])", "__import__('os')", "a;b", "a = 1", "a b", "",
)  # fmt: skip
CONTEXTS = (
    "{}",
    "{} and a",
    "a or {}",
    "not {}",
    "{} > 1",
    "1 < {}",
    "a + {} > 1",
    "{} in [1]",
    "-{} > 1",
    "f({})",
)


@pytest.mark.parametrize(
    "text",
    [
        "a", "True", "not a", "a and b or not c", "a == 1", "1 <= a < b != 3", "-a + b * 2 / (c - 1) >= 0.5",
        "a == 'x'", "a != b", "a in ['x', 'y']", "a not in [1, -2, 0.5]", "missing(a) and not missing(b)",
        "a == True", "a + b in [1, 2]", "  a > 1  ",
    ],
)  # fmt: skip
def test_the_language_is_accepted(text: str) -> None:
    assert isinstance(read_condition(text), ast.expr)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize(
    "part", [*FORBIDDEN.values(), "None", "...", "b'a'", "1j", "f(a)", "(a > 1 > (b > 1))"]
)
def test_nothing_else_passes_wherever_it_stands(part: str, context: str) -> None:
    with pytest.raises(ConfigError, match=r"Allowed are column names"):
        read_condition(context.format(part))


@pytest.mark.parametrize("text", OTHER_FORBIDDEN)
def test_misuse_of_allowed_parts_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="Allowed are"):
        read_condition(text)


def test_every_node_python_knows_is_judged() -> None:
    abstract = {ast.expr, ast.operator, ast.unaryop, ast.boolop, ast.cmpop}
    deprecated = {
        "Num",
        "Str",
        "Bytes",
        "NameConstant",
        "Ellipsis",
        "Index",
        "ExtSlice",
        "TemplateStr",
        "Interpolation",
    }
    known = {
        node
        for node in vars(ast).values()
        if isinstance(node, type) and issubclass(node, tuple(abstract)) and node.__name__ not in deprecated
    }
    assert known - abstract == ({*ALLOWED_NODES} - {ast.Load}) | {*FORBIDDEN}


@settings(deadline=None)
@given(
    st.text(max_size=40)
    | st.text("ab01.'\"+-*/%<>=!()[]{}:,| \n", max_size=25)
    | st.text("anotrd (><1", max_size=20)
)
@example("a" * 2000)
@example("not " * 100 + "a")
@example("(" * 300 + "a" + ")" * 300)
@example("-" * 200 + "1 > 0")
@example("9" * 5000 + " > a")
@example("a > 1\x00")
@example("'\\d' == a")
@example("1if a else 2")
def test_any_text_is_refused_or_holds_allowed_nodes_only(text: str) -> None:
    try:
        tree = read_condition(text)
    except ConfigError:
        return
    for node in ast.walk(tree):
        assert isinstance(node, ALLOWED_NODES)
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name)
            assert node.func.id == "missing"


def test_the_message_names_the_character() -> None:
    with pytest.raises(ConfigError, match=r"'é > 1 and open\(x\)', character 11: a call is not allowed"):
        read_condition("é > 1 and open(x)")
