"""`python -m baton.cli`, for a start without the console script."""

from baton.cli.main import run

if __name__ == "__main__":
    run()
