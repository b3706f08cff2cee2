"""``python -m denobench`` is the ``denobench`` program."""

from denobench.cli import main

if __name__ == "__main__":
    main()
