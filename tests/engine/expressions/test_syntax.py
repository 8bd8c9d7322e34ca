"""What is refused before it has any meaning: everything that is not in the grammar."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expressions.compiling import compile_expression
from engine.expressions.faults import ExpressionFaults
from tests.engine.expressions.school import SCOPE

HOSTILE = (
    "",
    "   ",
    "'",
    "__import__('os')",
    "().__class__",
    "name.__class__",
    "name.__class__.__mro__",
    "case.state.upper",
    "case.__dict__ == name",
    "_name == 'x'",
    "\uff4e\uff41\uff4d\uff45 == 'x'",  # name, in full-width letters
    "\u212bngstrom",
    "name == \u2018x\u2019",
    'name == "x"',
    "name == 'x' # fine",
    "f'{name}' == 'x'",
    "name == f'{name}'",
    "b'x' == name",
    "r'x' == name",
    "u'x' == name",
    "name == 'a' 'b'",
    "name == '''a'''",
    "name == '\\d'",
    "matches(name, '\\d')",
    "name == 'a\nb'",
    "(cohort := 1) == 1",
    "cohort = 1",
    "10**9 > 1",
    "9**9**9 > 1",
    "cohort // 2 == 1",
    "cohort / 2 == 1",
    "cohort % 2 == 1",
    "cohort @ 2",
    "cohort << 2 == 1",
    "cohort & 1 == 1",
    "cohort | 1 == 1",
    "~cohort == 1",
    "+cohort == 1",
    "--cohort == 1",
    "cohort is 1",
    "cohort is not 1",
    "cohort <> 1",
    "cohort == 1_000",
    "cohort == 0x10",
    "cohort == 1e5",
    "cohort == 1j",
    "cohort == .5",
    "cohort == 5.",
    "cohort == 007",
    "cohort == 1if enrolled else 2",
    "cohort == 12345678901234567890",
    "lambda: 1",
    "lambda x: x",
    "[cohort]",
    "[c for c in name]",
    "(c for c in name)",
    "{cohort: 1}",
    "{cohort}",
    "name[0] == 'x'",
    "name[::] == 'x'",
    "days_after(today, days=1) == today",
    "days_after(*today)",
    "days_after(**today)",
    "known()(name)",
    "case.state()",
    "await name",
    "yield name",
    "None",
    "True",
    "False == enrolled",
    "...",
    "enrolled; wants_degree",
    "enrolled\\",
    "enrolled) or (wants_degree",
    "enrolled)",
    "(enrolled",
    "()",
    "cohort in ()",
    "enrolled and",
    "enrolled ? 1 : 2",
    "name == `x`",
    "name == '\x00'\x00",
    "enrolled\tor wants_degree",
    "enrolled!",
    "$enrolled",
    "(" * 150 + "enrolled" + ")" * 150,
    "not " * 600 + "enrolled",
    " or ".join(["enrolled"] * 600),
    "1" + " + 1" * 450 + " == 1",
    "x" * 20_000,
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_text_outside_the_grammar_is_refused_with_a_place(text):
    with pytest.raises(ExpressionFaults) as refused:
        compile_expression(text, SCOPE)

    for fault in refused.value.faults:
        assert 0 <= fault.offset <= max(len(text), 1)
        assert fault.message.endswith((".", "?"))


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("cohort = 1", 7, "Compare with '=='."),
        ("name == '中' and name == “x”", 24, "Write a text between single quotes: 'text'."),
        ("name == '毕业' and cohort ** 2 == 4", 24, "'*' has no meaning here."),
        ("enrolled or\nwants_degree and nothing", 29, None),
    ],
)
def test_the_place_of_a_fault_is_counted_in_characters_of_the_text(text, offset, message):
    with pytest.raises(ExpressionFaults) as refused:
        compile_expression(text, SCOPE)

    fault = refused.value.faults[0]
    assert fault.offset == offset
    assert message is None or fault.message == message


@pytest.mark.parametrize(
    "text",
    [
        "  enrolled  ",
        "enrolled or\n  wants_degree\n",
        "class.code == '01'",  # a word of Python, and a kind of unit
        "cohort - -1 == 2023",
        "-(-(cohort)) == 2022",
        "not not enrolled",
        "name == '--; # (not) code'",
        "name == '中文：“引号”'",
        "((((((((((enrolled))))))))))",
    ],
)
def test_what_the_grammar_allows_is_read(text):
    assert compile_expression(text, SCOPE).kind.name == "yes_no"


WORDS = (
    "and", "or", "not", "in", "if", "else", "(", ")", ",", ".", "==", "!=", "<", "+", "-", "*",
    "1", "12.50", "true", "'专科'", "'2024-05-13'", "enrolled", "cohort", "level", "case", "state",
    "batch", "pairs", "members", "it", "open", "courses", "count", "every", "where", "values",
    "cases", "'leave'", "known", "value_of", "days_after", "term", "matches", "has", "'F-01'",
    "lambda", "for", "class", "None", "limit",
)  # fmt: skip


def faults_of(text):
    try:
        compile_expression(text, SCOPE, {"limit": "cohort + 1"})
    except ExpressionFaults as refused:
        return refused.faults
    return ()


@settings(max_examples=400, deadline=None)
@given(words=st.lists(st.sampled_from(WORDS), max_size=14))
def test_any_row_of_words_is_read_or_refused_with_a_place(words):
    text = " ".join(words)

    assert all(0 <= fault.offset <= len(text) for fault in faults_of(text))


@settings(max_examples=400, deadline=None)
@given(text=st.text(alphabet="ab'\"()*-+.,<>=!#\\ \n\t017\u00e9\u4e2d\uff41_:[]{}"))
def test_any_row_of_letters_is_read_or_refused_with_a_place(text):
    assert all(0 <= fault.offset <= len(text) for fault in faults_of(text))
