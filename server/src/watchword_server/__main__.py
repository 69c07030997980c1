"""`python -m watchword_server` is the command `watchword`."""

from watchword_server.cli import main

if __name__ == "__main__":
    main()
