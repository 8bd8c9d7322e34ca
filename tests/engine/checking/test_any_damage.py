"""However a folder is damaged, it is answered with placed faults, never with a traceback."""

import re
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.checking.examining import examine
from tests.engine.loading.folders import CLEAN, write

WORD = re.compile(r"[A-Za-z_][\w.-]*")
PLACES = [(name, one.start(), one.end()) for name, text in sorted(CLEAN.items()) for one in WORD.finditer(text)]
WORDS = sorted({CLEAN[name][start:end] for name, start, end in PLACES} | {"null", "[]", "{}", ""})
A_TYPE = CLEAN["rules/vocabulary.yaml"].index("moment")


@settings(max_examples=40, deadline=None)
@example(("rules/vocabulary.yaml", A_TYPE, A_TYPE + len("moment")), "asks")
@given(st.sampled_from(PLACES), st.sampled_from(WORDS))
def test_one_wrong_word_never_makes_the_checks_raise(place, word):
    damaged, start, end = place
    with tempfile.TemporaryDirectory() as folder:
        for name, text in CLEAN.items():
            write(Path(folder), name, text[:start] + word + text[end:] if name == damaged else text)
        library, faults = examine(Path(folder))

    assert library is not None or faults
    assert all(fault.line >= 1 and fault.column >= 1 and " · " in fault.message for fault in faults)
