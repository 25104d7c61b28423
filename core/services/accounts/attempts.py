"""Attempts at a password: counted before they are looked at, delayed when there are many, and audited.

Who signs in is counted by name and address. Guesses delay the address that they come from; the name waits
only where it has not signed in before, so that nobody is kept out of their own desk by strangers. Who is
signed in and confirms the password is counted by session, apart from all that.
"""

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.accounts import Identity, Role, User
from core.domain.errors import LockedOutError, SignInRefusedError
from core.keys import keyed_digest
from core.store.unit_of_work import Store, Work

#: The answer to every refused sign-in.
REFUSED = "name and password do not fit together, or the account is disabled"
_NOBODY = Identity("unknown", "unknown", Role.GUEST)
_LONGEST_NAME = 64
_KNOWN_LOCK_OUTS = 1000
#: Refusals that cost nothing: of one account from one address or in one session; from one address for
#: whatever accounts; of one account from whatever addresses.
FREE_BY_ACCOUNT, FREE_BY_ADDRESS, FREE_BY_NAME = 4, 19, 19
#: Refusals older than this do not count any more. Many people may share one address.
ACCOUNT_MEMORY, ADDRESS_MEMORY = timedelta(hours=24), timedelta(hours=1)
#: An address at which nobody signed in to an account for so long is a strange one to it.
KNOWN_FOR = timedelta(days=60)
_FIRST_S, _LONGEST_S = 30, 15 * 60
_ORIGIN = 12
#: A refusal that is further ahead was noted by a clock that was wrong and is set back by now.
_AHEAD = timedelta(seconds=_LONGEST_S)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody tries to sign in, or confirms the password of the account that they are signed in to.

    Attributes:
        name: as typed, in lower case. It may be a mistyped password: it is neither stored nor logged.
        account_key, address_key: stand for the name and for the client's address in what is stored; of a
            confirmation both stand for the session.
        origin: tells clients apart in the audit log without saying who they are.
        is_confirmation: somebody who is signed in is asked again.
    """

    name: str
    account_key: str
    address_key: str
    origin: str
    is_confirmation: bool = False

    @property
    def is_plausible(self) -> bool:
        """True when there can be a user of this name; databases refuse some characters."""
        return 0 < len(self.name) <= _LONGEST_NAME and self.name.isprintable()


class Attempts:
    """Counts refused attempts by account, client address and session. Safe to share between threads.

    Args:
        store: where they are counted.
        key: for the digests of names and addresses.
    """

    def __init__(self, store: Store, key: bytes) -> None:
        self._store = store
        self._key = key
        self._counting = threading.Lock()
        self._told: OrderedDict[str, datetime] = OrderedDict()

    def begin(self, name: str, address: str) -> Attempt:
        """The attempt to sign in, counted as refused until it turns out not to be: many at once gain nothing.

        Raises:
            LockedOutError: there were too many; this one does not count.
        """
        account, address_key = account_key(self._key, name), keyed_digest(self._key, f"address:{address}")
        return self._counted(Attempt(_typed(name), account, address_key, address_key[:_ORIGIN]))

    def begin_confirmation(self, user: User, session_id: str | None, address: str) -> Attempt:
        """As `begin`, for somebody who is signed in; what is typed anywhere else does not count.

        Args:
            user: whose password is asked for.
            session_id: of the session in which it is asked for.
            address: of the client, for the audit log.
        """
        session = keyed_digest(self._key, f"session:{user.user_id}:{session_id or ''}")
        origin = keyed_digest(self._key, f"address:{address}")[:_ORIGIN]
        return self._counted(Attempt(_typed(user.name or ""), session, session, origin, is_confirmation=True))

    def _counted(self, attempt: Attempt) -> Attempt:
        with self._counting:
            with self._store.read() as work:
                now, (wait, key) = work.now, _wait(work, attempt)
            if not wait:
                with self._store.write() as work:
                    keys = {"account_key": attempt.account_key, "address_key": attempt.address_key}
                    work.failures.add(**keys, at=work.now)
                    work.failures.purge(work.now - ACCOUNT_MEMORY)
                return attempt
            is_told = self._is_told(key, now, wait)
        if not is_told:
            with self._store.write() as work:
                user = work.users.named(attempt.name) if attempt.is_plausible else None
                _record(work, attempt, user, "sign_in.refused", reason="locked out")
        raise LockedOutError(wait)

    def accept(self, work: Work, attempt: Attempt, user: User) -> None:
        """The sign-in was right: what was refused of this account at this address before is forgotten.

        The address is known to the account from now on.
        """
        self.confirm(work, attempt)
        work.known_addresses.note(attempt.account_key, attempt.address_key, work.now)
        work.known_addresses.purge(work.now - KNOWN_FOR)
        _record(work, attempt, user, "sign_in.accepted")

    def confirm(self, work: Work, attempt: Attempt) -> None:
        """The password was right: what was refused where it was typed is forgotten."""
        work.failures.clear(attempt.account_key, attempt.address_key)

    def refuse(self, attempt: Attempt, user: User | None, reason: str) -> SignInRefusedError:
        """The error to raise: it says how long to wait where this was one too many, and never the reason.

        Args:
            attempt: from `begin`.
            user: whose name was given, None when there is nobody of that name.
            reason: for the audit log.
        """
        with self._store.write() as work:
            wait, _ = _wait(work, attempt)
            _record(work, attempt, user, "sign_in.refused", reason=reason, locked_for_s=wait)
        return LockedOutError(wait) if wait else SignInRefusedError(REFUSED)

    def _is_told(self, key: str, now: datetime, wait: int) -> bool:
        """True when the log has an attempt within this lock-out: a flood of them must not fill the disk."""
        if self._told.get(key, now) > now:
            return True
        self._told[key] = now + timedelta(seconds=wait)
        self._told.move_to_end(key)
        while len(self._told) > _KNOWN_LOCK_OUTS:
            self._told.popitem(last=False)
        return False


def wait_s(n_refused: int, newest: datetime | None, now: datetime, *, free: int) -> int:
    """Whole seconds from `now` until the next attempt is looked at, 0 when it is at once.

    Args:
        n_refused: that count.
        newest: when the newest of them was.
        now: this moment.
        free: that cost nothing; the next one costs 30 s, each after it twice as much, up to 15 minutes.
    """
    if newest is None or n_refused <= free:
        return 0
    doublings = min(n_refused - free - 1, 10)  # enough for the longest, whatever the number is
    delay_s: int = min(_FIRST_S << doublings, _LONGEST_S)
    passed_s = max(0.0, (now - newest).total_seconds())  # a clock that was set back does not lengthen it
    return max(0, math.ceil(delay_s - passed_s))


def account_key(key: bytes, name: str) -> str:
    """The key under which refused sign-ins of this name are counted; `key` is that of `Purpose.CLIENT`."""
    return keyed_digest(key, f"account:{_typed(name)}")


def actor_of(user: User, *, session_id: str | None = None) -> Identity:
    """The identity of somebody with an account."""
    return Identity(
        user_id=user.user_id,
        name=user.shown_name,
        role=user.role,
        session_id=session_id,
        must_change_password=user.must_change_password,
    )


def _typed(name: str) -> str:
    return name.strip().lower().encode("utf-8", "replace").decode("utf-8")


def _wait(work: Work, attempt: Attempt) -> tuple[int, str]:
    """Seconds until an attempt for this account from this address is looked at, and the key it waits for."""
    account, address = attempt.account_key, attempt.address_key
    now, until = work.now, work.now + _AHEAD
    day, hour = (now - ACCOUNT_MEMORY, until), (now - ADDRESS_MEMORY, until)
    here = wait_s(*work.failures.of_both(account, address, *day), now, free=FREE_BY_ACCOUNT)
    if attempt.is_confirmation or work.known_addresses.has(account, address, now - KNOWN_FOR):
        return here, account + address
    return max(
        (here, account + address),
        (wait_s(*work.failures.of_account(account, *day), now, free=FREE_BY_NAME), account),
        (wait_s(*work.failures.of_address(address, *hour), now, free=FREE_BY_ADDRESS), address),
    )


def _record(work: Work, attempt: Attempt, user: User | None, action: str, **details: str | int) -> None:
    actor = actor_of(user) if user else _NOBODY
    work.audit.record(
        actor,
        action=action,
        object_type="user",
        object_id=actor.user_id,
        details={**details, "origin": attempt.origin},
    )
