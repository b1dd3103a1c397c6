"""``python -m tests.campaigns NAME [--trials N] [--seed S]`` runs one; without a name it lists them."""

import argparse
import importlib
import pkgutil
import sys

import tests.campaigns


def main() -> int:
    """Run the campaign that the command line names; its exit status is the command's."""
    names = sorted(info.name for info in pkgutil.iter_modules(tests.campaigns.__path__) if info.name[0] != "_")
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns", description=tests.campaigns.__doc__)
    parser.add_argument("name", nargs="?", choices=names, help="which campaign; none lists them")
    parser.add_argument("--trials", type=int, help="how many trials; each campaign has its own default")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn at random")
    given = parser.parse_args()
    if given.name is None:
        for name in names:
            module = importlib.import_module(f"tests.campaigns.{name}")
            print(f"{name:<12}{(module.__doc__ or '').splitlines()[0]}")
        return 0
    return int(importlib.import_module(f"tests.campaigns.{given.name}").run(given.trials, given.seed))


if __name__ == "__main__":
    sys.exit(main())
