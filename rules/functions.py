"""Functions that conditions may call beside those of the language: pure, typed, without clock and files.

Each is an `engine.expressions.functions.Registered`: the kinds it takes and gives, and what it computes once every
argument is known. The source of this file is part of the rulebook's hash, so a change of it is a new rulebook.
No condition shipped today needs one. Source: the definition language, section 10.
"""

from collections.abc import Mapping
from types import MappingProxyType

from engine.expressions.functions import Registered

FUNCTIONS: Mapping[str, Registered] = MappingProxyType({})
"""By the name that expressions call."""
