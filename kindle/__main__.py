"""`python -m kindle` is the `kindle` command."""

from kindle.cli import main

if __name__ == "__main__":
    main()
