"""Every version of a row with the time for which it was valid: a slowly changing dimension of type 2."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from etl_studio.sdk import Loaded, identifier, identifiers, literal
from etl_studio.storage.landing import Applied, insert, make_unique
from etl_studio.storage.table_schema import LOAD_ID

if TYPE_CHECKING:
    from etl_studio.storage.landing import Landing


def scd2(landing: Landing) -> Applied:
    """End the version of each key whose row has changed or is deleted, and begin that of each new or changed row.

    A key that does not come stays valid. All versions of a load begin at one and the same time.
    """
    spec, connection, table = landing.spec, landing.connection, landing.table
    valid_from, valid_to = spec.options.valid_from, spec.options.valid_to
    now_valid = f"{identifier(valid_to)} IS NULL"
    name = f"_etl_valid {table.name} ({identifiers(spec.key)})"
    make_unique(connection, table, spec.key, name, now_valid)

    moment = literal(_text(datetime.now(UTC)))
    pairs = f"{landing.pairs} AND t.{now_valid}"
    stale = landing.count(pairs, f"NOT {landing.current()}") if spec.version else 0

    def end(condition: str) -> int:
        ended = f"SELECT {landing.staged_key} FROM {pairs} WHERE {condition} AND {landing.current()}"  # noqa: S608
        keeps_id = f", {LOAD_ID} = {landing.load}" if table.keeps_load_ids else ""
        return landing.change(
            f"UPDATE {landing.target} SET {identifier(valid_to)} = {moment}{keeps_id} "  # noqa: S608 - quoted names
            f"WHERE {now_valid} AND ({landing.key}) IN ({ended})"
        )

    deleted = end(landing.gone) if spec.hard_delete else 0
    updated = end(f"NOT {landing.gone} AND {landing.differs()}")
    known = f"SELECT 1 FROM {landing.target} AS t WHERE {landing.same} AND t.{now_valid}"  # noqa: S608 - quoted names
    written = insert(landing, f"NOT EXISTS ({known})", {valid_from: moment})
    unchanged = landing.kept - written - deleted - stale
    loaded = Loaded(written - updated, updated, unchanged, landing.stage.written - landing.kept, deleted, stale)
    return Applied(loaded, written)


def _text(moment: datetime) -> str:
    """As columns of time are stored: the zeros of the fraction are left out, so that texts sort as times."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f").removesuffix(".000000") + "+00:00"
