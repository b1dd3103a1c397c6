"""``python -m metalwork``: the command line where the script is not on the path."""

from metalwork.cli import main

if __name__ == "__main__":
    main()
