"""The demo's page: 100 columns wide, in a terminal and in a file."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, Final, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from examples.demo.case import Outcome
from examples.demo.hostile import Attempt
from examples.demo.lifetime import LIFETIME_S, Lives
from examples.demo.owners import OWNERS, SharedText
from examples.demo.welcome import Guest
from watchword_protocol.errors import ErrorCode

__all__ = ["COMMANDS", "COMMANDS_BESIDE", "Page"]

WIDTH: Final = 100

_NUMBERS: Final = ("HTTP", "close")

COMMANDS: Final = """\
printf %s 'correct horse' | .venv/bin/watchword user add ada --role user --password-stdin --data data
.venv/bin/watchword serve --dev --data data
"""
"""In one terminal, from the root of the repository."""

COMMANDS_BESIDE: Final = """\
TOKEN=$(.venv/bin/watchword token ada --data data)
.venv/bin/python examples/whoami.py ws://127.0.0.1:8080/v1/ws "$TOKEN"
.venv/bin/watchword sql ws://127.0.0.1:8080 --token "$TOKEN" -c "SELECT current_user, now()"
"""
"""In another one."""


class Page:
    """What the reader sees. Knows how much was wrong so far."""

    def __init__(self, console: Console | None = None) -> None:
        self.differences: list[str] = []
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._console.width = min(WIDTH, self._console.width) if self._console.is_terminal else WIDTH

    def tell(self, text: str) -> None:
        """A paragraph."""
        self._console.print(Text(text))

    def head(self, text: str) -> None:
        """The heading of a chapter."""
        self._console.print()
        self._console.print(Text(text, style="bold"))

    def show_guests(self, guests: Iterable[Guest]) -> None:
        """Who came in, and by which way."""
        table = self._table(way_in=13, user=5, user_id=22, role=7, ends=8, connection=10, _=5)
        for guest in guests:
            user = guest.client
            ends = f"{user.expires_at:%H:%M:%S}" if user.expires_at else "never"
            self._row(table, guest.differences, guest.way, user.name, user.id, user.role, ends, user.connection_id)
            self._note(guest.way, guest.differences)
        self._console.print(table)

    def show_context(self, context: Mapping[str, Any]) -> None:
        """The whole user context."""
        user = context["user"]
        self.tell(
            f"The whole context (GET /v1/api/auth/me): {user['name']} ({user['email'] or 'no email'}), role "
            f"{user['role']}, by {context['auth_method']} of {context['issuer']}, claims "
            f"{', '.join(context['claims'])}."
        )

    def show_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """One line for each thing that was sent, whatever the ways."""
        table = self._table(sent=34, by=7, error_code=23, HTTP=4, close=5, advice=9, _=5)
        for sent, group in groupby(outcomes, key=lambda outcome: outcome.case.sent):
            rows = list(group)
            differences = [f"by {row.case.by}: {words}" for row in rows for words in row.differences]
            by = " ".join(dict.fromkeys(row.case.by for row in rows))
            told = rows[0].told
            statuses = [(row.told_over_http or row.told).status for row in rows]
            status = next((str(status) for status in statuses if status), "-")
            close = "-" if told.close is None or told.status else str(told.close)
            codes = " / ".join(dict.fromkeys(row.told.code for row in rows))
            self._row(table, differences, sent, by, codes, status, close, told.advice or "-")
            self._note(sent, differences)
        self._console.print(table)

    def show_shared(self, shared: Iterable[SharedText]) -> None:
        """What the same text gave the two users, side by side."""
        first, second = OWNERS
        table = self._table(sent_by_both=58, **{first: 16, second: 16}, _=5)
        for each in shared:
            self._row(table, each.differences, each.text, *each.given)
            self._note(each.text, each.differences)
        self._console.print(table)

    def show_attempts(self, attempts: Iterable[Attempt]) -> None:
        """What hostile statements were told."""
        table = self._table(sent=34, error_code=17, place=5, sentence=34, _=5)
        for each in attempts:
            self._row(table, each.differences, each.shown, each.code, each.place or "-", each.sentence)
            self._note(each.shown, each.differences)
        self._console.print(table)

    def show_unseen(self, unseen: Mapping[ErrorCode, str]) -> None:
        """The rows that are not provoked."""
        self.head("What no client can provoke here")
        for code, why in unseen.items():
            self.tell(f"  {code.name:<18} {why}")

    def count_down(self, left_s: int) -> None:
        """One more second."""
        self._console.print(Text(f"{left_s} ... " if left_s else "ended", style="bold"), end="" if left_s else "\n")

    def show_lives(self, lives: Lives) -> None:
        """How the two connections went."""
        mark = "ok" if not lives.differences else "WRONG"
        self.tell(f"The connection ended {max(0.0, lives.ended_after_s):.1f} s after its token's exp: {lives.reason}.")
        self.tell(
            f"The other one was renewed in place, {LIFETIME_S / 2:g} s before it, and has "
            f"{lives.renewed_until_s / 60:.0f} minutes more.  {mark}"
        )
        self._note("lifetime", lives.differences)

    def show_check(self, sentence: str, differences: list[str]) -> None:
        """A single claim."""
        self.tell(f"{sentence}  {'ok' if not differences else 'WRONG'}")
        self._note(sentence, differences)

    def show_commands(self) -> None:
        """How to go on without the demo."""
        self.head("Your own server")
        for where, commands in (("In this terminal:", COMMANDS), ("In another one, while it runs:", COMMANDS_BESIDE)):
            self.tell(where)
            for command in commands.splitlines():
                self._console.print(Text(f"    {command}"), soft_wrap=True)  # to be copied: never broken

    def finish(self) -> int:
        """The verdict, and how to go on where it is good; the exit status."""
        self._console.print()
        if not self.differences:
            self.tell("All of it happened as the error table says.")
            self.show_commands()
            return 0
        self._console.print(Text("Not as the error table says:", style="bold red"))
        for words in self.differences:
            self.tell(f"- {words}")
        return 1

    def _note(self, what: str, differences: Iterable[str]) -> None:
        self.differences += [f"{what}: {words}" for words in differences]

    def _table(self, **widths: int) -> Table:
        """An empty table of these columns, as wide as they say so that all tables line up, where there is room."""
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
        has_room = sum(widths.values()) + len(widths) <= self._console.width
        for name, width in widths.items():
            heading = name.replace("_", " ").strip()
            justify: Literal["left", "right"] = "right" if heading in _NUMBERS else "left"
            table.add_column(heading, justify=justify, overflow="fold", min_width=width if has_room else None)
        return table

    @staticmethod
    def _row(table: Table, differences: list[str], *cells: str) -> None:
        mark = Text("WRONG", style="bold red") if differences else Text("ok", style="green")
        table.add_row(*cells, mark)
