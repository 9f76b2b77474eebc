"""`python -m jobs` is `facejobs`."""

import sys


def main() -> None:
    """Run the command line; it takes a second to load, and Ctrl-C in that second is no error either."""
    try:
        from jobs.main import main as command  # noqa: PLC0415
    except KeyboardInterrupt:
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
