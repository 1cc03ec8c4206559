"""Recordings and descriptions of APIs that are dropped, pasted or opened: a person chooses, nodes appear."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from etl_studio.app.catalogue import full_registry
from etl_studio.ui.document import PipelineDocument

pytestmark = pytest.mark.window

LIST = {"200": {"content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}}}


def description(operations=3):
    paths = {
        f"/things{number}": {"get": {"summary": f"All things {number}", "responses": LIST}}
        for number in range(operations)
    }
    paths["/shops/{shop}/things"] = {"get": {"summary": "Things of a shop", "responses": LIST}}
    scheme = {"token": {"type": "http", "scheme": "bearer"}}
    return json.dumps(
        {
            "openapi": "3.1.0",
            "servers": [{"url": "https://api.example.org"}],
            "security": [{"token": []}],
            "paths": paths,
            "components": {"securitySchemes": scheme},
        }
    )


def recording():
    def entry(path, items):
        content = {"mimeType": "application/json", "size": 2048, "text": json.dumps({"data": [{"id": 1}] * items})}
        headers = [{"name": "Authorization", "value": "Bearer s3cr3t-token"}]
        request = {"method": "GET", "url": f"https://shop.example/api/{path}", "headers": headers}
        return {"request": request, "response": {"status": 200, "content": content}}

    return json.dumps(
        {"log": {"version": "1.2", "entries": [entry("orders?page=1", 20), entry("orders?page=2", 24), entry("me", 0)]}}
    )


@pytest.fixture
def view(make_view):
    return make_view(PipelineDocument(full_registry()))


def files(*paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


@pytest.fixture
def picker(view, qtbot):
    """The question, once it is there."""

    def there():
        qtbot.waitUntil(lambda: view.requests.picker is not None, timeout=5000)
        return view.requests.picker

    yield there
    if view.requests.picker is not None:
        view.requests.picker.reject()


def shown(picker):
    items = [picker.list.topLevelItem(row) for row in range(picker.list.topLevelItemCount())]
    return [tuple(item.text(column) for column in range(4)) for item in items if not item.isHidden()]


def tick(picker, *rows):
    for row in rows:
        picker.list.setCurrentItem(picker.list.topLevelItem(row))
        QTest.keyClick(picker.list, Qt.Key.Key_Space)


def test_operations_of_a_dropped_description_become_nodes_in_one_step(view, hand, picker, tmp_path):
    path = tmp_path / "shop.json"
    path.write_text(description())
    document = view.document
    assert hand.drop(view, files(path), QPoint(400, 300))
    question = picker()

    assert shown(question) == [
        ("GET", "/things0", "All things 0", "List"),
        ("GET", "/things1", "All things 1", "List"),
        ("GET", "/things2", "All things 2", "List"),
        ("GET", "/shops/{shop}/things", "Things of a shop", "List"),
    ]
    tick(question, 1, 3)
    assert (question.count.text(), question.add.text()) == ("2 ticked", "Add 2 nodes")
    question.add.click()

    first, second = document.pipeline.nodes.values()
    assert (first.title, first.config["url"]) == ("All things 1", "https://api.example.org/things1")
    assert second.config["url"] == "https://api.example.org/shops/${shop}/things"
    assert list(document.pipeline.parameters) == ["shop"]
    assert view.pipeline_scene.chosen_nodes() == [first.id, second.id]
    assert len(set(document.pipeline.layout.values())) == 2
    assert "Set ETL_STUDIO_SECRET_API_EXAMPLE_ORG_TOKEN" in view.tip.text()
    document.check_now()
    assert [problem for problem in document.problems if problem.severity == "error"] == []
    document.undo_stack.undo()
    assert (document.pipeline.nodes, document.pipeline.parameters) == ({}, {})


def test_the_search_narrows_the_list_and_enter_takes_the_current_one(view, hand, picker, tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_text(description())
    hand.drop(view, files(path), QPoint(400, 300))
    question = picker()

    QTest.keyClicks(question.field, "shop get")
    assert [row[1] for row in shown(question)] == ["/shops/{shop}/things"]
    QTest.keyClicks(question.field, "xyz")
    assert shown(question) == []
    assert question.nothing.isVisible()
    assert not question.add.isEnabled()
    question.field.clear()
    QTest.keyClick(question.field, Qt.Key.Key_Down)
    QTest.keyClick(question.field, Qt.Key.Key_Return)

    (node,) = view.document.pipeline.nodes.values()
    assert node.config["url"] == "https://api.example.org/things1"


def test_a_pasted_recording_becomes_a_node_and_its_token_is_nowhere(view, picker, tmp_path):
    QGuiApplication.clipboard().setText(recording())
    QTest.keyClick(view, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    question = picker()

    assert shown(question) == [
        ("GET", "https://shop.example/api/orders", "2 times", "24 items · 2 KB"),
        ("GET", "https://shop.example/api/me", "", "0 items · 2 KB"),
    ]
    question.add.click()
    (node,) = view.document.pipeline.nodes.values()
    assert node.config["auth"] == {"kind": "bearer", "token": "${secret:shop_example_token}"}
    view.document.save(tmp_path / "a.etl.yaml")
    assert "s3cr3t" not in (tmp_path / "a.etl.yaml").read_text()


def test_a_pasted_file_is_as_a_dropped_one(view, picker, tmp_path):
    path = tmp_path / "visit.har"
    path.write_text(recording())
    QGuiApplication.clipboard().setMimeData(files(path))
    QTest.keyClick(view, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)

    assert picker().windowTitle() == "Add from visit.har"
    QGuiApplication.clipboard().clear()  # what Python has made must not outlive the application


def test_a_question_that_is_left_adds_nothing(view, hand, picker, tmp_path):
    path = tmp_path / "visit.har"
    path.write_text(recording())
    hand.drop(view, files(path), QPoint(400, 300))

    QTest.keyClick(picker(), Qt.Key.Key_Escape)

    assert view.document.pipeline.nodes == {}
    assert not view.document.is_modified


def test_two_files_are_asked_about_one_after_the_other(view, hand, picker, tmp_path, qtbot):
    for name, text in (("a.har", recording()), ("b.json", description())):
        (tmp_path / name).write_text(text)
    hand.drop(view, files(tmp_path / "a.har", tmp_path / "b.json"), QPoint(400, 300))

    first = picker()
    assert first.windowTitle() == "Add from a.har"
    first.add.click()
    qtbot.waitUntil(lambda: view.requests.picker not in (None, first), timeout=5000)
    view.requests.picker.add.click()

    assert len(view.document.pipeline.nodes) == 2


def test_data_and_pipelines_are_still_what_they_were(view, hand, tmp_path, qtbot):
    (tmp_path / "rows.json").write_text('[{"id": 1}]')
    (tmp_path / "job.etl.yaml").write_text("etl_studio: 1\nname: job\n")

    with qtbot.waitSignal(view.document.node_added, timeout=5000):
        hand.drop(view, files(tmp_path / "rows.json"), QPoint(400, 300))
    with qtbot.waitSignal(view.file_dropped, timeout=5000) as told:
        hand.drop(view, files(tmp_path / "job.etl.yaml"), QPoint(400, 300))

    assert [spec.type for spec in view.document.pipeline.nodes.values()] == ["json_source"]
    assert Path(told.args[0]) == tmp_path / "job.etl.yaml"


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.har", '{"log": {"version": "1.2", "entries": []}}', "No answer in this recording is JSON"),
        ("a.har", '{"log": {"version": "1.2", "entries": [{"request', "no HTTP Archive"),
        ("a.yaml", "openapi: 3.0.0\npaths: [\n", "no valid YAML"),
        ("a.json", '{"openapi": "3.0.0", "paths": {}}', "Nothing in this API"),
        ("a.har", "hello", "No node reads a.har"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(view, hand, tmp_path, qtbot, name, text, reason):
    (tmp_path / name).write_text(text)
    hand.drop(view, files(tmp_path / name), QPoint(400, 300))

    qtbot.waitUntil(lambda: reason in view.tip.text(), timeout=5000)
    assert view.document.pipeline.nodes == {}


def test_the_window_answers_while_a_large_recording_is_read(view, picker, tmp_path, qtbot):
    entry = json.loads(recording())["log"]["entries"][0]
    entry["response"]["content"]["text"] = json.dumps({"data": [{"id": 1, "text": "x" * 100}] * 400})
    text = json.dumps({"log": {"version": "1.2", "entries": [entry] * 400}})
    path = tmp_path / "large.har"
    path.write_text(text)
    assert len(text) > 20_000_000

    view.requests.read(path, QPointF(0, 0))

    assert view.requests.picker is None  # the call came back before anything was read
    assert shown(picker()) == [("GET", "https://shop.example/api/orders", "400 times", "400 items · 2 KB")]


def test_a_document_that_is_only_looked_at_takes_nothing(view, hand, picker, tmp_path):
    (tmp_path / "shop.json").write_text(description())
    view.document.undo_stack.read_only = True
    hand.drop(view, files(tmp_path / "shop.json"), QPoint(400, 300))

    question = picker()
    question.add.click()

    assert view.document.pipeline.nodes == {}
