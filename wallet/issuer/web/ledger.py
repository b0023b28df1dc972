"""The desk's ledger for others: its DID's log, receipts for wallets, and the embedded chain for whoever asks nodes.

Also the thread that anchors: every process has one, and of all of them one takes its turn at a time.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from service.app import body_limit, json_answer
from service.crosssite import open_to_all
from ssi.encoding import read_json_object
from ssi.errors import SsiError
from ssi.ledger.devchain import DevChain
from ssi.ledger.devchain.facade import MAX_BODY, reply
from wallet.issuer import receipts
from wallet.issuer.anchoring import Anchoring
from wallet.issuer.leaves import PATH
from wallet.issuer.ledgers import RPC
from wallet.issuer.office import Office

_LOG: Final = logging.getLogger("facet.issuer")
_QUESTION: Final = 16_384


def blueprint(office: Office) -> Blueprint:
    """The endpoints of a desk that has a ledger; they read no cookie and may be called from any origin."""
    made = Blueprint("ledger", __name__)
    if office.receipts is not None:
        _add_receipts(made, office.receipts)
    if office.identity.log is not None:
        _add_log(made, office.identity.log, office.settings.base_url)
    if office.ledger is not None and office.ledger.chain is not None:
        _add_chain(made, office.ledger.chain)
    return made


def _add_receipts(made: Blueprint, found: receipts.Receipts) -> None:
    @made.post(PATH)
    @open_to_all
    @body_limit(_QUESTION)
    def of_leaves() -> Response:
        """Receipts by leaf; a leaf says nothing to those who do not hold its credential, so nobody is asked who."""
        entries = receipts.read_question(read_json_object(request.get_data(), what="question"))
        return json_answer({"receipts": list(found.of(entries))})


def _add_log(made: Blueprint, log: bytes, base_url: str) -> None:
    path = urlsplit(base_url).path

    @made.get(f"{path}/did.jsonl" if path else "/.well-known/did.jsonl")
    @open_to_all
    def did_log() -> Response:
        """The history of the desk's DID (did:webvh 1.0, "DID Log")."""
        response = Response(log, mimetype="text/jsonl")
        response.headers["Cache-Control"] = "no-cache"  # a proxy's older copy would pass for one that was cut off
        response.add_etag()
        response.make_conditional(request)
        return response


def _add_chain(made: Blueprint, chain: DevChain) -> None:
    @made.post(RPC)
    @open_to_all
    @body_limit(MAX_BODY)
    def rpc() -> Response:
        """The development chain by JSON-RPC; a page of another origin cannot send this without having asked."""
        if request.mimetype != "application/json":
            return Response(status=415)
        found = reply(chain, request.get_data())
        return Response(found.body, status=found.status, headers=found.headers)


class Turns:
    """Called before each request; starts this process's anchoring thread with the first."""

    def __init__(self, anchoring: Anchoring, now: Callable[[], datetime]) -> None:
        self._anchoring = anchoring
        self._now = now
        self._lock = threading.Lock()
        self._begun = False
        self._over = threading.Event()
        weakref.finalize(self, self._over.set)

    def __call__(self) -> None:
        """Start the thread, once."""
        with self._lock:
            if self._begun:
                return
            self._begun = True
        going = threading.Thread(target=_go_on, args=(weakref.ref(self), self._over, self.every), daemon=True)
        going.name = "anchoring"
        going.start()

    def stop(self) -> None:
        """Take no further turn, nor begin any."""
        with self._lock:
            self._begun = True
        self._over.set()

    @property
    def every(self) -> float:
        """Seconds between two turns."""
        return min(self._anchoring.every, 60)

    def turn(self) -> None:
        """One turn; what it cannot do now waits for the next."""
        try:
            self._anchoring.turn(now=self._now())
        except SsiError as problem:
            _LOG.warning("anchoring postponed", extra={"code": problem.code})
        except (SQLAlchemyError, OSError) as error:
            _LOG.warning("anchoring postponed", extra={"kind": type(error).__name__})


def _go_on(turns: weakref.ref[Turns], over: threading.Event, every: float) -> None:
    """Turn after turn, until told to end or until the desk that they are for is no more: it holds files open."""
    while not over.wait(every):
        if (going := turns()) is None:
            return
        going.turn()
        del going
