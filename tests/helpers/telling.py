"""What a child process says of itself."""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Connection

import numpy as np


def tell(connection: Connection) -> None:
    """Say what a method would see, then do what is asked for."""
    seen = {
        "parent": os.getppid(),
        "random": float(np.random.random()),
        "folder": os.getcwd(),
        "variable": os.environ.get("DENOBENCH_TEST"),
        "open": len(os.listdir("/proc/self/fd")),
    }
    connection.send(("seen", seen))
    asked = connection.recv()
    if asked == "exit":
        os._exit(7)
    if asked == "leave":  # a process in a session of its own that no environment marks
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            time.sleep(987)
        os.wait()
    connection.send(("done", None))
    time.sleep(987)
