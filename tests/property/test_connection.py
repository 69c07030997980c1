"""Any order of messages, faults, verdicts and time: a connection keeps to its table, its deadlines and its manners."""

from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from support.lives import CREDENTIAL, START, after, make_user, words
from watchword_protocol.codec import Fault
from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import (
    Authenticate,
    ClientMessage,
    NextBatch,
    Ping,
    Query,
    Subscribe,
    Subscription,
    Unsubscribe,
)
from watchword_server.budget import Verdict
from watchword_server.connection import Connection, ConnectionRules, Effect, State
from watchword_server.identifiers import Identifiers
from watchword_server.refusal import Refused

FRESH, CHECKING, OPEN, RENEWING, CLOSING, CLOSED = State
LIVING: Final = {FRESH, CHECKING, OPEN, RENEWING}

# The drawing at the head of the module.
TRANSITIONS: Final = {
    (FRESH, CHECKING),
    (CHECKING, OPEN),
    (OPEN, RENEWING),
    (RENEWING, OPEN),
    *((state, CLOSING) for state in LIVING),
    *((state, CLOSED) for state in (*LIVING, CLOSING)),
    *((state, state) for state in State),
}

RULES: Final = ConnectionRules(
    Identifiers("x"),
    auth_timeout_s=5.0,
    check_timeout_s=7.0,
    close_timeout_s=3.0,
    leeway_s=4.0,
    expiry_notice_s=20.0,
    heartbeat_interval_s=11.0,
    heartbeat_timeout_s=6.0,
    messages_per_s=2,
)
SWEEP_S: Final = 0.5

MESSAGES: Final = st.sampled_from(
    [
        CREDENTIAL,
        Ping(1),
        Query(2, sql="select 1"),
        Subscribe(Subscription("s", "select 1")),
        Unsubscribe("s"),
        NextBatch(),
    ]
)
FAULTS: Final = st.builds(
    Fault,
    st.sampled_from([ErrorCode.MALFORMED_MESSAGE, ErrorCode.UNSUPPORTED_DATA, ErrorCode.MESSAGE_TOO_LARGE]),
    st.just("what is wrong"),
    st.sampled_from([None, "ping", "query", "authenticate", "nonsense"]),
) | st.just(Fault(ErrorCode.MALFORMED_AUTHORIZATION, "what is wrong", "authenticate"))
CODES: Final = st.sampled_from([code for code in ErrorCode if code.close is not None])
LIFETIMES: Final = st.sampled_from([None, -3, 0, 3, 12, 60])
OWN_FAULTS: Final = {"error RATE_LIMITED", "error MESSAGE_TOO_LARGE"}


class ConnectionMachine(RuleBasedStateMachine):
    """The world around one connection: the peer, the authenticator, the registry, the sweep."""

    @initialize(has_credential=st.booleans(), is_v1=st.booleans())
    def upgrade(self, has_credential: bool, is_v1: bool) -> None:
        self.now = START
        self.connection = Connection(RULES, has_credential=has_credential, is_v1=is_v1, now=START)
        self.state = self.connection.state
        self.since = START.monotonic
        self.has_closed = self.has_aborted = False
        self.ends_at: float | None = None
        self.has_notice = False

    # What happens

    @precondition(lambda self: not self.connection.is_checking)
    @rule(message=st.sampled_from([CREDENTIAL, Ping(1)]))
    def talk(self, message: Authenticate | Ping) -> None:
        """What is welcome in every state that reads."""
        self.receive(message)

    @precondition(lambda self: not self.connection.is_checking)
    @rule(message=MESSAGES | FAULTS)
    def receive(self, message: ClientMessage | Fault) -> None:
        """As the gateway does: nothing is handed in while a credential is being checked."""
        self.connection.heard_at = self.now.monotonic
        before = self.state
        effects = self.connection.receive(message, self.connection.charge(self.now.monotonic), self.now)
        self.perform(effects, is_own_fault=True)
        assert before is not FRESH or self.state is not OPEN, "nobody comes in without a verdict"

    @precondition(lambda self: self.state in (FRESH, OPEN))
    @rule(message=MESSAGES | FAULTS, times=st.integers(5, 40))
    def flood(self, message: ClientMessage | Fault, times: int) -> None:
        """More than the budget allows."""
        for _ in range(times):
            if not self.connection.is_checking:
                self.receive(message)

    @rule()
    def hear(self) -> None:
        """A pong, or a part of a frame."""
        self.connection.heard_at = self.now.monotonic

    @precondition(lambda self: self.connection.is_checking)
    @rule(lifetime_s=LIFETIMES)
    def come_in(self, lifetime_s: int | None) -> None:
        """As ada, the first time and after a renewal."""
        self.admit("ada", lifetime_s)

    @rule(name=st.sampled_from(["ada", "bob"]), lifetime_s=LIFETIMES)
    def admit(self, name: str, lifetime_s: int | None) -> None:
        """At any time, perhaps too late, perhaps somebody else."""
        passed_s = self.now.wall - START.wall
        user = make_user(name, lifetime_s=None if lifetime_s is None else passed_s + lifetime_s)
        known, was_checking = self.connection.user, self.connection.is_checking
        effects = self.connection.admitted(user, self.now)
        if not was_checking:
            assert effects == []
        elif known is not None and known.id != user.id:
            assert words(effects) == ["auth_error USER_MISMATCH", "close USER_MISMATCH"]
        else:
            assert words(effects)[0] == "auth_success"
            self.ends_at = None if user.expires_at is None else user.expires_at + RULES.leeway_s
            self.has_notice = False
        self.perform(effects, is_own_fault=True)

    @precondition(lambda self: self.connection.is_checking)
    @rule(code=st.sampled_from([ErrorCode.KEY_UNAVAILABLE, ErrorCode.TOKEN_STALE, ErrorCode.STORAGE_UNAVAILABLE]))
    def refuse(self, code: ErrorCode) -> None:
        """The verdict is no."""
        was_renewing = self.state is RENEWING
        self.perform(self.connection.refused(Refused(code), self.now), is_own_fault=True)
        assert self.connection.is_ended == (not was_renewing or code is not ErrorCode.KEY_UNAVAILABLE)

    @precondition(lambda self: self.now.monotonic - self.since > 2.0)  # else few lives would be long
    @rule(code=CODES, how=st.sampled_from(["end", "leave", "break", "stay"]))
    def finish(self, code: ErrorCode, how: str) -> None:
        """From outside, by the peer, by a broken frame; or not after all."""
        if how == "stay":
            return
        effects: list[Effect] = []
        if how == "end":
            effects = self.connection.end(code, self.now)
        elif how == "leave":
            self.connection.peer_closed(self.now)
        else:
            self.connection.failed(self.now)
        self.perform(effects, is_own_fault=False)
        assert self.connection.is_ended

    @rule(sweeps=st.sampled_from([1, 3, 6, 12, 30]))
    def wait(self, sweeps: int) -> None:
        """Time passes, and the sweep looks twice a second whether something is due."""
        for _ in range(sweeps):
            self.now = after(SWEEP_S, self.now)
            connection = self.connection
            if connection.deadline <= self.now.monotonic or connection.wall_deadline <= self.now.wall:
                was_renewing = self.state is RENEWING
                effects = connection.tick(self.now)
                is_renewal = was_renewing and words(effects)[-1:] != ["close TOKEN_EXPIRED"]  # that is the old token's
                self.perform(effects, is_own_fault=is_renewal)
            self.check_deadlines()

    # What must be so

    def perform(self, effects: list[Effect], *, is_own_fault: bool) -> None:
        """What the gateway would do, and whether it may."""
        said = words(effects)
        was_open = self.state in (OPEN, RENEWING)
        if self.has_closed or self.state is CLOSED:
            assert said in ([], ["abort"]), "nothing follows our close frame"
        if "abort" in said:
            assert not self.has_aborted, "once in a state"
            self.has_aborted = True
        closes = [word for word in said if word.startswith("close ")]
        if closes:
            self.has_closed = True
            assert said[-1:] == closes, "once, and last"
            code = closes[0].removeprefix("close ")
            spoken = [word for word in said[:-1] if word != "token_expiring"]
            if not was_open:
                assert spoken == [f"auth_error {code}"]
            elif not is_own_fault:
                assert spoken == []
            else:
                assert all(word == f"auth_error {code}" or word in OWN_FAULTS for word in spoken)
                assert len(spoken) == 1
            assert self.connection.ends_with is ErrorCode[code]
        if "token_expiring" in said:
            assert self.connection.is_v1
            assert not self.has_notice, "once for each token"
            assert self.ends_at is not None
            assert self.ends_at - RULES.expiry_notice_s <= self.now.wall < self.ends_at + SWEEP_S or was_open is False
            self.has_notice = True
        self.step()

    def step(self) -> None:
        following = self.connection.state
        assert (self.state, following) in TRANSITIONS
        if following is not self.state:
            self.state, self.since, self.has_aborted = following, self.now.monotonic, False

    def check_deadlines(self) -> None:
        """However the peer talks, none of these is put off."""
        passed_s = self.now.monotonic - self.since
        match self.state:
            case State.FRESH:
                assert passed_s < RULES.auth_timeout_s
            case State.CHECKING | State.RENEWING:
                assert passed_s < RULES.check_timeout_s
            case State.CLOSING | State.CLOSED:
                assert passed_s < RULES.close_timeout_s or self.has_aborted
            case State.OPEN:
                silent_s = self.now.monotonic - max(self.since, self.connection.heard_at)
                assert silent_s < RULES.heartbeat_interval_s + RULES.heartbeat_timeout_s + 2 * SWEEP_S
        if self.state in (OPEN, RENEWING) and self.ends_at is not None:
            assert self.now.wall < self.ends_at, "the token's end"

    @invariant()
    def the_context_is_there_when_it_governs(self) -> None:
        assert self.connection.user is not None or self.state not in (OPEN, RENEWING)
        assert self.connection.is_ended == (self.state in (CLOSING, CLOSED))
        if self.connection.is_ended:
            assert self.connection.receive(Ping(), Verdict.RUN, self.now) == []


TestConnection = ConnectionMachine.TestCase
TestConnection.settings = settings(max_examples=120, stateful_step_count=30)
