"""A server as a process of its own that kills itself (SIGKILL) while it keeps a large package; test_large_imports.py.

It is killed once so many pictures of the package that is being kept are on their cases, and nothing of it is committed
yet; 0 for never.
"""

import os
import signal

from console import taking_in_photos
from engine import handing_in
from engine.attaching import attach
from tests.web.mortal_servers import serve

REHEARSED_AT_ONCE = 200


def arm(after: int) -> None:
    """Be killed there."""
    hand_in_all = handing_in.hand_in_all
    left: list[int] = []

    def attaching(*asked):
        if left and not left.pop() > 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return attach(*asked)

    def handing(desk, kind, files, request):
        is_kept = after and len(files) > REHEARSED_AT_ONCE
        left[:] = range(after) if is_kept else ()
        return hand_in_all(desk, kind, files, request)

    vars(handing_in).update(attach=attaching)
    vars(taking_in_photos).update(hand_in_all=handing)


def main(database: str, port: str, moment: str, after: str) -> None:
    """Serve until killed."""
    arm(int(after))
    serve(database, port, moment)
