"""`python -m derivata` is the command `derivata`."""

from derivata.apps.cli import main

main()
