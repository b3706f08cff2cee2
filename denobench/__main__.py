"""The program: ``denobench`` and ``python -m denobench``, out of reach of their surroundings."""

import io
import sys


def main(encoding: str = "") -> None:
    """Run the program.

    Parameters
    ----------
    encoding
        How to print text, where Python is not to choose.
    """
    if not sys.flags.safe_path:
        del sys.path[0]  # the working folder, or the script's: nothing there is meant for us

    from denobench import surroundings

    surroundings.shield()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # where there is none it is None
            stream.reconfigure(encoding=encoding or None, errors="backslashreplace")
    import signal

    from denobench.cli import main as program

    try:
        program()
    finally:  # while Python itself ends, another Ctrl-C would change the exit code
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
