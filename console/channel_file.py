"""The file that says who is told through which channel (`XUEJI_CHANNELS`).

    wang.li: wecombot://KEY
    student/K7Q2M4XA: bark://HOST/DEVICE

It holds what lets anybody write to these people, so nothing of an address in it is ever repeated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from console.secret_file import secret_text
from engine.errors import Fault, XuejiError
from engine.loading.nodes import Node, Place
from engine.loading.strict_yaml import read_text
from engine.records import case_of
from engine.store.people import PERSON, STUDENT
from engine.trail.event import chain_name

_INSTALL = "pip install --require-hashes -r requirements/channels.txt"
_ADDRESS = re.compile(r"\S*://\S*")
_SYNTAX = (
    "无法按 YAML 读取 it cannot be read as YAML: LOGIN: ADDRESS, a line for each, no anchors, in quotes if need be"
)


class ChannelsRefused(XuejiError):
    """The file of channels cannot be used; every fault is named, by its line where it has one."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(f"XUEJI_CHANNELS：{one}" for one in faults)
        super().__init__("\n".join(self.faults))


def channels_in(file: Path) -> Mapping[str, str]:
    """The address of each person's channel, by key: `person/LOGIN`, or without an account `student/NUMBER`.

    Raises:
        ChannelsRefused: If the file cannot be read or may be read by others, Apprise is missing, or anybody in it is
            nobody or has no channel.
    """
    text = secret_text(file, lambda said: ChannelsRefused([said]))
    fault_of = _checker()
    root, broken = read_text(text, file.name)
    faults = [_placed(one.line, file, _said(one)) for one in broken]
    if root is None or not isinstance(root.value, Mapping):
        raise ChannelsRefused(faults or [f"{file} 应为“用户: 地址”的列表 it should hold lines like 'LOGIN: ADDRESS'"])
    faults += [_placed(place.line, file, said) for place, said in _faults(root, fault_of)]
    if faults:
        raise ChannelsRefused(faults)
    return {_key(name): str(node.value) for name, node in root.entries.items()}


def _checker() -> Callable[[str], str | None]:
    """What says why an address is no channel; loaded only where there are channels.

    Raises:
        ChannelsRefused: If Apprise is not installed.
    """
    try:
        from notifications.channels import fault_of  # noqa: PLC0415 an extra that may be missing
    except ModuleNotFoundError as missing:
        if missing.name != "apprise":
            raise
        said = (
            f"需要附加组件 channels（Apprise），尚未安装。请运行：{_INSTALL}\n"
            f"It needs the extra 'channels' (Apprise), which is not installed. Run: {_INSTALL}"
        )
        raise ChannelsRefused([said]) from missing
    return fault_of


def _faults(root: Node, fault_of: Callable[[str], str | None]) -> Iterator[tuple[Place, str]]:
    seen: dict[str, str] = {}
    for name, node in root.entries.items():
        place, shown = root.keys[name], _ADDRESS.sub("…", name)
        if not _is_name(name):
            yield place, f"“{shown}”不是用户名或 student/编号 it is neither a login nor student/NUMBER"
        elif _key(name) in seen:
            yield place, f"“{shown}”已写作“{seen[_key(name)]}” it stands there already as '{seen[_key(name)]}'"
        else:
            seen[_key(name)] = name
        said = fault_of(node.value) if isinstance(node.value, str) else "应为地址 an address is expected"
        if said is not None:
            yield node.place, f"“{shown}”的渠道 the channel：{said}"


def _said(fault: Fault) -> str:
    """What the reader found, without its words where they may be those of an address."""
    return _ADDRESS.sub("…", fault.message) if fault.code == "twice" else _SYNTAX


def _is_name(name: str) -> bool:
    if name.startswith(STUDENT):
        return case_of(name.removeprefix(STUDENT)) is not None
    return name.strip() == name and not re.search(r"[/\s]", name) and bool(name)


def _key(name: str) -> str:
    """The key of a person as the database has it."""
    number = case_of(name.removeprefix(STUDENT)) if name.startswith(STUDENT) else None
    return f"{PERSON}{name}" if number is None else chain_name(-number)


def _placed(line: int, file: Path, said: str) -> str:
    return f"{file}:{line}: {said}"
