"""`facet-wallet answer-dc`: how does a wallet that is a website answer a page that asks through the browser?

Browsers hand such requests (OpenID4VP 1.0 Appendix A) to wallets that are installed on the device; a website cannot be
one. Whoever carries a request here, with the origin that the browser has told them, sees what a person sees, agrees or
not, and carries the answer back. The origin is believed: only a platform, never the page itself, may say it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from service import cli
from service.cli import Exit, emit, read_input
from service.store import create, engine
from ssi import oid4vp
from ssi.encoding import Json, read_json_object, required_text
from ssi.errors import Refused, SsiError, Unavailable
from wallet.holder import present, store
from wallet.holder.accounts import Accounts
from wallet.holder.consent import Picks
from wallet.holder.passphrase import DEFAULT_COST
from wallet.holder.review import Question, Review
from wallet.holder.servicekeys import read_service_keys
from wallet.holder.settings import OPTIONS, ROLE, read_settings
from wallet.holder.web import outside, utc_now


@click.command("answer-dc")
@click.argument("source", metavar="FILE|-")
@click.option("--origin", required=True, help="The asking page's origin, as the browser says.")
@click.option("--account", required=True, help="Name of the person's account.")
@click.option(
    "--passphrase-file", type=click.Path(path_type=Path), help="File with the passphrase; asked for without it."
)
@click.option("--card", "cards", multiple=True, metavar="QUESTION=CARD", help="Which card answers which question.")
@click.option("--yes", is_flag=True, help="Share without asking again.")
@cli.settings_options(ROLE, OPTIONS)
def answer_dc(source: str, *, origin: str, account: str, cards: tuple[str, ...], **flags: Any) -> None:
    """Answer what a page asked: {"protocol", "data"} in, the same with the answer out. What is asked goes to stderr.

    Exit code 0: shared. 1: declined, or refused (the output says why). 2: wrong usage. 3: not possible now.
    """
    said = read_json_object(read_input(source), what="page's request")
    protocol, now = required_text(said, "protocol", what="page's request"), utc_now()
    chosen = dict(_pair(card) for card in cards)
    agreed, passphrase = flags.pop("yes"), flags.pop("passphrase_file")
    settings = read_settings(cli.overlay(ROLE, flags, OPTIONS, environ=os.environ))
    database = engine(settings.service.database_url)
    create(store.METADATA, database)
    accounts = Accounts(database, read_service_keys(settings.cookie_key), DEFAULT_COST)
    vault = accounts.unlock(account, _passphrase(passphrase), peer="command line", now=now)
    world = outside(settings)
    try:
        request = present.look_at_page(vault, protocol, said.get("data"), origin=origin, outside=world, now=now)
    except Unavailable:
        raise
    except SsiError as problem:
        click.echo(problem.detail, err=True)
        _emit(protocol, oid4vp.decline_page(error=oid4vp.error_for(problem)))
        sys.exit(int(Exit.INVALID))
    shown = present.shown(vault, request, outside=world, now=now)
    click.echo("\n".join(_told(shown)), err=True)
    if shown.answerable and (agreed or click.confirm("Share this?", err=True)):
        done = present.share(vault, request.id, picks=_picks(shown, chosen), outside=world, now=now)
        _emit(protocol, done.answer)
        return
    _emit(protocol, present.decline(vault, request.id, outside=world, now=now).answer)
    sys.exit(int(Exit.INVALID))


def _emit(protocol: str, data: Json) -> None:
    emit({"protocol": protocol, "data": data}, as_json=True, lines=lambda _: [])


def _pair(text: str) -> tuple[str, str]:
    question, found, card = text.partition("=")
    if not found:
        raise click.UsageError("--card is QUESTION=CARD.")
    return question, card


def _passphrase(file: Path | None) -> str:
    if file is None:
        return str(click.prompt("Passphrase", hide_input=True, err=True))
    try:
        return file.read_text("utf-8").strip("\n")
    except (OSError, UnicodeDecodeError):
        raise click.UsageError("--passphrase-file cannot be read.") from None


def _picks(shown: Review, chosen: dict[str, str]) -> Picks:
    """The first option of what is required, each question with the card that was named, or the only one there is."""
    asked = [name for part in shown.parts if part.required for name in part.options[0]]
    return {name: (_pick(shown.questions[name], chosen.get(name)),) for name in dict.fromkeys([*asked, *chosen])}


def _pick(question: Question, card: str | None) -> str:
    if card is None and len(question.choices) != 1:
        raise Refused("consent.incomplete", f"Say which card answers {question.id!r}: --card {question.id}=CARD.")
    return card if card is not None else question.choices[0].card.id


def _told(shown: Review) -> list[str]:
    """What a person must know before they agree."""
    who = shown.who
    lines = [f"{who.name} asks ({who.address}; {'verified' if who.verified else 'NOT verified'})."]
    lines.append(f"Why: {shown.signed.request.purpose or 'they gave no reason.'}")
    lines += [f"You authorise: {one.title}. {_line(one.lines)}." for one in shown.transactions]
    for question in shown.questions.values():
        for choice in question.choices:
            seen = _line([(line.label, line.value) for line in choice.revealed.asked + choice.revealed.always])
            lines.append(f"{question.id}: card {choice.card.id} ({choice.card.name}). They will see: {seen}.")
            lines += [f"  {remark}" for remark in choice.remarks]
    return [*lines, *shown.missing]


def _line(pairs: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{label}: {value}" for label, value in pairs) or "no details"
