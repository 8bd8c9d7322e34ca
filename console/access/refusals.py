"""Why somebody is not let in: little is said, and the same whether or not the account exists."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

from engine.errors import XuejiError


class NotLetIn(XuejiError):
    """Wrong account, wrong password, no account, a disabled one: which of them is not said."""

    def __init__(self) -> None:
        super().__init__("账号或密码不对，或暂时不能登录。Wrong account or password, or not possible just now.")


class WrongCode(XuejiError):
    """A code that is wrong, was used, or whose time is over."""

    def __init__(self) -> None:
        super().__init__(
            "口令不对、已用过或已过期，请用新的一个。This code is wrong, was used, or is too old; take a new one."
        )


class MustWait(XuejiError):
    """After many wrong guesses nothing is looked at for a while."""

    def __init__(self, wait: timedelta) -> None:
        self.seconds = ceil(wait.total_seconds())
        self.minutes = ceil(wait / timedelta(minutes=1))
        super().__init__(
            f"请 {self.minutes} 分钟后再试，或用统一身份登录。"
            f" Try again in {self.minutes} min, or use the school account."
        )
