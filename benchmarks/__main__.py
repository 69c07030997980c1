"""`python -m benchmarks FIGURE`: one figure, every server in the same run, the median of several fresh starts.

The machine's day moves absolute figures by a third: compare within one run, and quote the ratio.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import load
from benchmarks.disk import measure_sync_us
from benchmarks.figures import FIGURES, Figure
from benchmarks.population import user_name, write_headers
from benchmarks.servers import ROOT, SERVER_CORE, Server, Watchword, Yardstick, python_path
from benchmarks.tables import make_tables

# What is measured inside the server's process, by a program of its own each, which prints {"name (unit)": value}.
_INSIDE: Final = {
    "steps": "where the time of one cold handshake goes, without sockets",
    "checks": "the garbage of 1,000 handshakes, and ending 1,000 connections",
    "fairness": "what a bystander waits for a pong while others are rude",
    "sql-plans": "from the text of a statement to its plan, new and known",
}

Samples = dict[str, dict[str, list[float]]]
"""Values by measure and by server."""


def main() -> None:
    """Measure and print."""
    arguments = _parse()
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("two cores are needed: one for the server, one for the load")
    with (
        TemporaryDirectory(prefix="watchword-benchmark-", dir=arguments.data) as name,
        _trees(arguments.against, Path(name)) as trees,
    ):
        samples: Samples = defaultdict(lambda: defaultdict(list))
        if arguments.figure in FIGURES:
            figure = FIGURES[arguments.figure]
            print(f"{arguments.figure}: {figure.meaning}")
            servers: list[Server] = list(trees)
            if not figure.has_tables and not arguments.no_yardstick and Yardstick.is_possible():
                servers.append(Yardstick())
            _measure_outside(figure, servers, Path(name), arguments.runs, samples)
        else:
            print(f"{arguments.figure}: {_INSIDE[arguments.figure]}")
            _measure_inside(arguments.figure, trees, arguments.runs, samples)
    print(f"{platform.machine()}, Python {platform.python_version()}, {arguments.runs} runs, median (min - max)\n")
    print("\n".join(_table(samples)))


def _parse() -> argparse.Namespace:
    listing = [f"  {name:14}{figure.meaning}" for name, figure in FIGURES.items()]
    listing += [f"  {name:14}{meaning}" for name, meaning in _INSIDE.items()]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure one figure.",
        epilog="figures:\n" + "\n".join(listing),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("figure", choices=[*FIGURES, *_INSIDE], metavar="FIGURE")
    parser.add_argument("--runs", type=int, default=5, help="fresh starts of each server (default 5)")
    parser.add_argument("--against", metavar="REV", help="measure this commit too, in the same run")
    parser.add_argument("--data", metavar="DIR", help="where the data lies (default: where temporary files do)")
    parser.add_argument("--no-yardstick", action="store_true", help="leave out ws and jsonwebtoken")
    return parser.parse_args()


@contextmanager
def _trees(revision: str | None, directory: Path) -> Iterator[list[Watchword]]:
    """This source tree, and the other one in a worktree that goes with the context."""
    here = Watchword(ROOT, "watchword")
    if revision is None:
        yield [here]
        return
    tree = directory / "worktree"
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
    try:
        yield [here, Watchword(tree, revision)]
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def _measure_outside(figure: Figure, servers: Sequence[Server], directory: Path, runs: int, samples: Samples) -> None:
    load.build()
    headers = directory / "headers"
    write_headers(headers, tokens=figure.tokens, users=figure.users)
    for server in servers:
        server.prepare(directory / server.name, figure.users)
    for _ in range(runs):  # in turn, so that all of them meet the machine's good and bad minutes
        for server in servers:
            with server.run(directory / server.name, figure.users) as running:
                if figure.has_tables:
                    make_tables(running.port, [user_name(number) for number in range(figure.users)])
                result = load.measure(running, headers, figure.load)
            for name, measure in figure.measures.items():
                samples[f"{name} ({measure.unit})"][server.name].append(measure.read(result))
            if figure.has_tables:
                samples["fdatasync of 4 KiB, p50 (us)"][server.name].append(measure_sync_us(directory))


def _measure_inside(figure: str, trees: Sequence[Watchword], runs: int, samples: Samples) -> None:
    for _ in range(runs):
        for tree in trees:
            command = ["taskset", "-c", SERVER_CORE, sys.executable, "-m", f"benchmarks.{figure.replace('-', '_')}"]
            environment = python_path(tree.tree)
            finished = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, check=True)
            for name, value in json.loads(finished.stdout).items():
                samples[name][tree.name].append(value)


def _table(samples: Samples) -> Iterator[str]:
    """Lines: a measure each, a server in each column; every column but the first with the first's ratio to it."""
    servers = list(dict.fromkeys(server for values in samples.values() for server in values))
    rows = [["", *servers, *(f"watchword / {server}" for server in servers[1:])]]
    for name, values in samples.items():
        cells = [_spread(values[server]) for server in servers]
        first = median(values[servers[0]])
        others = [median(values[server]) for server in servers[1:]]
        ratios = [f"{first / other:.2f}" if other else "-" for other in others]
        rows.append([name, *cells, *ratios])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])


def _spread(values: Sequence[float]) -> str:
    form = _form(median(values))
    return f"{form(median(values))} ({form(min(values))} - {form(max(values))})"


def _form(size: float) -> Callable[[float], str]:
    return (lambda value: f"{value:,.0f}") if size >= 200 else (lambda value: f"{value:.1f}")


if __name__ == "__main__":
    main()
