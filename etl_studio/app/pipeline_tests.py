"""Runs the tests of a pipeline: given rows in, the rows that come out beside those that were expected."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from etl_studio.app.cassettes import player, recorder, save
from etl_studio.app.golden_cases import (
    CASSETTE,
    EXPECTED,
    GIVEN,
    Case,
    case_parameters,
    cases_folder,
    place_name,
    read_case,
)
from etl_studio.errors import EtlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from etl_studio.app.studio import Studio
    from etl_studio.engine.cassette_tapes import CassettePlayer, Tape
    from etl_studio.engine.golden_rows import GoldenRows
    from etl_studio.engine.row_diff import TableDifference
    from etl_studio.engine.run import Run
    from etl_studio.engine.threads import StartWorker
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import Registry

    Place = tuple[str, str]

RECORDED_ROWS = 20
"""Rows of each source that are kept when a case is made from a preview."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came out at one place.

    Attributes:
        place: the node, or ``node.port``.
        rows: how many came.
    """

    place: str
    rows: int
    difference: TableDifference


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test went.

    Attributes:
        status: ``updated``: what came out is what is expected from now on; ``error``: it could not be run.
        checked: what was compared.
        dead_letters: rows that were refused and that no port took.
        error: what went wrong, for people.
    """

    case: str
    status: Literal["passed", "failed", "error", "updated"]
    checked: tuple[Checked, ...] = ()
    dead_letters: int = 0
    error: str | None = None


def run_case(  # noqa: PLR0913 - as a run
    studio: Studio,
    pipeline: Pipeline,
    folder: Path,
    *,
    file: Path,
    update: bool = False,
    start_worker: StartWorker | None = None,
    on_run: Callable[[Run], None] | None = None,
    tape: Tape | None = None,
) -> Outcome:
    """Run one test. Sources do not read and sinks do not write; what is wrong becomes part of the outcome.

    Sources that read the web, and what else asks sites, are answered by the cassette of the test, if it has one.

    Args:
        studio: what all share.
        pipeline: the document.
        folder: of the test.
        file: the pipeline file, where relative paths start.
        update: write what came out in the place of what was expected; where nothing was, for every sink.
        start_worker: starts the workers; default: plain threads.
        on_run: gets the run, so that it can be stopped.
        tape: keeps what sites answer, which are then asked.
    """
    try:
        pipeline = studio.flat(pipeline, case_parameters(folder), file=file)
        case = read_case(folder, pipeline, studio.registry)
        pipeline = _running(studio, pipeline, [node for node, _ in (*case.given, *case.expected)])
        wanted = list(case.expected) or (_sinks(pipeline, studio.registry) if update else [])
        if not wanted:
            hint = f"Add {folder.name}/{EXPECTED}/NODE.json, or write it with --update."
            raise UsageError("The case expects no rows.", hint=hint)
        tape = tape or _answers(case)
        came, dead_letters = _rows(studio, pipeline, case, wanted, file, tape, start_worker, on_run)
        if update:
            _write(case, came, pipeline, studio.registry)
            return Outcome(case.name, "updated", dead_letters=dead_letters)
        checked = tuple(_compare(case, place, came[place], pipeline, studio.registry) for place in wanted)
    except EtlError as error:
        problems = "; ".join(str(problem) for problem in getattr(error, "problems", ()))
        return Outcome(folder.name, "error", error=f"{error} {problems}".rstrip())
    passed = all(one.difference.is_empty for one in checked)
    return Outcome(case.name, "passed" if passed else "failed", checked, dead_letters)


def record_case(  # noqa: PLR0913 - as a preview
    studio: Studio,
    pipeline: Pipeline,
    name: str,
    *,
    file: Path,
    rows: int = RECORDED_ROWS,
    parameters: Mapping[str, str] | None = None,
    cassette: bool = False,
) -> Path:
    """Make a test from what the sources give now: their first rows, and what comes out of them at every sink.

    With ``cassette`` all that sites answer is kept in place of the rows of sources that read the web.

    Returns:
        The folder of the test.

    Raises:
        UsageError: there is one of that name, or the name is none.
        EtlError: a source could not be read.
    """
    from etl_studio.engine.golden_rows import rows_of, write_rows
    from etl_studio.pipeline import yaml_text
    from etl_studio.pipeline.file_format import write_text

    folder = cases_folder(file) / name
    if Path(name).name != name or not name.strip(". "):
        raise UsageError(f'"{name}" is no name of a folder.', hint="Use letters, digits, spaces and -.")
    if folder.exists():
        raise UsageError(f"There is a test {name} already.", hint="Choose another name, or --update it.")
    pipeline = _running(studio, studio.flat(pipeline, parameters, file=file), [])
    given = {
        node: rows_of(studio.preview(pipeline, file=file, node=node, rows=rows, parameters=parameters))
        for node in _sources(pipeline, studio.registry)
        if not (cassette and _reads_web(pipeline, node, studio.registry))
    }
    for node, golden in given.items():
        write_rows(golden, folder / GIVEN / f"{node}.json")
    if parameters:
        write_text(yaml_text.block({"parameters": dict(parameters)}), folder / "case.yaml")
    if cassette:
        folder.mkdir(parents=True, exist_ok=True)
    tape = recorder(folder / CASSETTE, pipeline.name) if cassette else None
    outcome = run_case(studio, pipeline, folder, file=file, update=True, tape=tape)
    if outcome.error:
        raise UsageError(outcome.error)
    if tape is not None:
        save(tape, folder / CASSETTE)
    return folder


def _running(studio: Studio, pipeline: Pipeline, named: Iterable[str]) -> Pipeline:
    """What of a pipeline runs.

    Raises:
        UsageError: a node that the test names does not.
    """
    part = studio.active(pipeline).pipeline
    for node in named:
        if node not in part.nodes:
            why = "is disabled" if pipeline.nodes[node].disabled else "is fed by disabled nodes only"
            raise UsageError(f'The test is about "{node}", which {why}.', hint="Enable it, or remove the file.")
    return part


def _rows(  # noqa: PLR0913 - as a run
    studio: Studio,
    pipeline: Pipeline,
    case: Case,
    wanted: Sequence[Place],
    file: Path,
    tape: Tape,
    start_worker: StartWorker | None,
    on_run: Callable[[Run], None] | None,
) -> tuple[dict[Place, GoldenRows], int]:
    """The rows that come out at each place, and how many became dead letters."""
    from etl_studio.app.studio import new_run_id
    from etl_studio.engine.context import Places
    from etl_studio.engine.events import RunStatus
    from etl_studio.engine.golden_rows import batch_from, read_rows, rows_of
    from etl_studio.engine.masking import masking
    from etl_studio.engine.run import Run
    from etl_studio.engine.stand_ins import nodes_between, stand_in_plan
    from etl_studio.engine.threads import start_thread
    from etl_studio.errors import PermanentError

    given: dict[str, dict[str, Any]] = defaultdict(dict)
    for (node, port), path in case.given.items():
        try:
            given[node][port] = batch_from(read_rows(path))
        except UsageError as error:
            raise error if str(path) in str(error) else UsageError(f"{path}: {error}") from None
    run_nodes = nodes_between(pipeline, given, [node for node, _ in wanted])
    answered = case.cassette is not None or not tape.replays
    _refuse_real_things(pipeline, studio.registry, case, run_nodes, [node for node, _ in wanted], answered=answered)
    resolved = studio.settings_for(pipeline, case.parameters, run_nodes, replays=tape.replays)
    plan, collectors = stand_in_plan(pipeline, studio.registry, resolved.settings, given, wanted)
    with tempfile.TemporaryDirectory(prefix="etl-studio-") as scratch:
        run = Run(
            new_run_id(),
            plan,
            Places(file.resolve().parent, Path(scratch) / "data.db", Path(scratch) / "scratch"),
            studio.databases,
            (),
            start_worker=start_worker or start_thread,
            mask=masking(resolved.secrets, studio.sign_ins),
            sign_ins=studio.sign_ins,
            bookmarks=tape.begin(lambda: (*resolved.secrets, *studio.sign_ins.secrets), {}),
            tape=tape,
        )
        if on_run is not None:
            on_run(run)
        ended = run.execute()
    if ended.status not in (RunStatus.DONE, RunStatus.DONE_WITH_DEAD_LETTERS):
        raise PermanentError(ended.error or f"The run is {str(ended.status).replace('_', ' ')}.")
    return {place: rows_of(collector.table()) for place, collector in collectors.items()}, ended.dead_letters


def _answers(case: Case) -> CassettePlayer:
    """What answers in place of sites."""
    from etl_studio.engine.cassette import Cassette
    from etl_studio.engine.cassette_tapes import CassettePlayer

    return player(case.cassette) if case.cassette is not None else CassettePlayer(Cassette(), "")


def _refuse_real_things(  # noqa: PLR0913 - a test is about all of these
    pipeline: Pipeline, registry: Registry, case: Case, run: Sequence[str], wanted: Sequence[str], *, answered: bool
) -> None:
    """A test reads nothing from outside, and loads nothing."""
    for node in _sources(pipeline, registry):
        if node in run and not (answered and _reads_web(pipeline, node, registry)):
            hint = f"Add {case.name}/{GIVEN}/{node}.json."
            if _reads_web(pipeline, node, registry):
                hint = f"{hint[:-1]}, or make a test with --record NAME --cassette."
            raise UsageError(f'The case gives no rows for the source "{node}".', hint=hint)
    for node in wanted:
        if any(node == given for given, _ in case.given):
            raise UsageError(f'The rows of "{node}" are given and expected.', hint="Remove one of the files.")
    sinks = {node for node, _ in _sinks(pipeline, registry)}
    for wire in pipeline.wires:
        if wire.source in sinks and wire.target in run:
            message = f'"{wire.target}" takes what the sink "{wire.source}" refuses, and a test loads nothing.'
            raise UsageError(message, hint=f"Give these rows: {GIVEN}/{wire.source}.{wire.source_port}.json.")


def _compare(case: Case, place: Place, came: GoldenRows, pipeline: Pipeline, registry: Registry) -> Checked:
    from etl_studio.engine.golden_rows import read_rows
    from etl_studio.engine.row_diff import compare

    node = place[0]
    expected = read_rows(case.expected[place])
    difference = compare(expected, came, any_order=node in case.any_order, ignore=case.ignore.get(node, ()))
    return Checked(place_name(place, pipeline, registry), len(came.rows), difference)


def _write(case: Case, came: Mapping[Place, GoldenRows], pipeline: Pipeline, registry: Registry) -> None:
    from etl_studio.engine.golden_rows import write_rows

    for place, rows in came.items():
        name = place_name(place, pipeline, registry)
        write_rows(rows, case.expected.get(place, case.folder / EXPECTED / f"{name}.json"))


def _sources(pipeline: Pipeline, registry: Registry) -> Iterable[str]:
    from etl_studio.sdk import Source

    return [node for node, spec in pipeline.nodes.items() if issubclass(registry.get(spec.type) or object, Source)]


def _reads_web(pipeline: Pipeline, node: str, registry: Registry) -> bool:
    return bool(getattr(registry.get(pipeline.nodes[node].type), "reads_web", False))


def _sinks(pipeline: Pipeline, registry: Registry) -> list[Place]:
    from etl_studio.sdk import Sink

    return [
        (node, "input") for node, spec in pipeline.nodes.items() if issubclass(registry.get(spec.type) or object, Sink)
    ]
