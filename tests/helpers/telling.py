"""What a child process says of itself."""

from __future__ import annotations

import gc
import os
import time
from multiprocessing.connection import Connection

import numpy as np


def look(connection: Connection) -> None:
    """Say what a process for training finds to train on."""
    from denobench.networks import device

    names = ("CUDA_VISIBLE_DEVICES", "KERAS_TORCH_DEVICE", "JAX_PLATFORMS")
    seen = {name: os.environ.get(name) for name in names}
    connection.send(("found", (device.backend(), device.accelerators(), seen)))


def own(connection: Connection) -> None:
    """Say which lock a process for training takes where there is a GPU, and which GPUs it sees."""
    from denobench.networks import device

    device.accelerators = lambda: ["Some GPU"]  # there need not be one, nor TensorFlow be asked
    with device.owned("auto", lambda *_: None):
        lock = device.lock_file().name
        connection.send(("found", (lock, os.environ.get("CUDA_VISIBLE_DEVICES"))))


def tell(connection: Connection) -> None:
    """Say what a method would see, then do what is asked for."""
    seen = {
        "parent": os.getppid(),
        "random": float(np.random.random()),
        "folder": os.getcwd(),
        "variable": os.environ.get("DENOBENCH_TEST"),
        "open": len(os.listdir("/proc/self/fd")),
        "collects": gc.isenabled(),
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
