"""Who is told when a run ends: a web hook and an e-mail, of a run that fails and of one that does not."""

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.engine import Run, run_pipeline

ADDRESS = "core@example.org"


@dataclass
class Told:
    """A finished run, and what it said to whom."""

    run: Run
    posts: list[dict[str, Any]] = field(default_factory=list)
    mail: str = ""

    @property
    def card(self) -> dict[str, Any]:
        """Content of the one card that was posted."""
        (post,) = self.posts
        content: dict[str, Any] = post["attachments"][0]["content"]
        return content


@pytest.fixture(scope="module")
def hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Address of a web hook on this machine, and what is posted to it."""
    posts: list[dict[str, Any]] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the terminal."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/secret", posts
    server.shutdown()
    server.server_close()


def told(
    folder: Path, phantoms: Path, hook: tuple[str, list[dict[str, Any]]], patch: pytest.MonkeyPatch, *options: str
) -> Told:
    """Check the samples with a `sendmail` that keeps what it is given."""
    address, posts = hook
    (folder / "bin").mkdir(parents=True)
    sendmail = folder / "bin" / "sendmail"
    sendmail.write_text(f"#!/bin/sh\ncat >> '{folder}/mail.txt'\n")
    sendmail.chmod(0o755)
    patch.setenv("PATH", str(sendmail.parent), prepend=":")
    (folder / "params.json").write_text(json.dumps({"hook_url": address}))
    posts.clear()
    sheet = str(phantoms / "samplesheet.csv")
    run = run_pipeline(
        folder, "-profile", "test", "-stub-run", "-params-file", str(folder / "params.json"), "--input", sheet,
        "--validate_only", *options,
    )  # fmt: skip
    mail = folder / "mail.txt"
    return Told(run, list(posts), mail.read_text() if mail.is_file() else "")


@pytest.fixture(scope="module")
def failed(
    phantoms: Path, hook: tuple[str, list[dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    with pytest.MonkeyPatch.context() as patch:
        yield told(
            tmp_path_factory.mktemp("failed"), phantoms, hook, patch, "--qc_mito_threshold", "300", "--email_on_fail",
            ADDRESS,
        )  # fmt: skip


@pytest.fixture(scope="module")
def succeeded(
    phantoms: Path, hook: tuple[str, list[dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    with pytest.MonkeyPatch.context() as patch:
        yield told(tmp_path_factory.mktemp("succeeded"), phantoms, hook, patch, "--email_on_fail", ADDRESS)


def test_a_failure_is_told_with_its_place_the_tools_words_and_what_to_do(failed: Told) -> None:
    assert failed.run.exit_code != 0
    title, text = failed.card["body"][0], failed.card["body"][1]["text"]
    assert title["color"] == "Attention"
    assert "at SAMPLESHEET_CHECK" in title["text"]
    assert "--qc_mito_threshold 300" in text
    assert "The input is faulty" in text
    assert "-resume" in text


def test_a_failure_is_mailed_to_whom_it_concerns(failed: Told) -> None:
    assert f"To: {ADDRESS}" in failed.mail
    assert " failed" in failed.mail.split("Subject:")[1].splitlines()[0]
    assert "expected a number, at least 0, at most 100" in failed.mail


def test_a_success_is_told_and_not_mailed_as_a_failure(succeeded: Told) -> None:
    assert succeeded.run.exit_code == 0, succeeded.run.log
    assert succeeded.card["body"][0]["color"] == "Good"
    assert "all samples passed" in succeeded.card["body"][0]["text"]
    assert succeeded.mail == ""


def test_the_hooks_address_is_not_published(succeeded: Told) -> None:
    published = [path for path in succeeded.run.outdir.rglob("*") if path.is_file()]
    assert [path.name for path in published if b"/secret" in path.read_bytes()] == []
    (parameters,) = (succeeded.run.outdir / "pipeline_info").glob("params_*.json")
    assert json.loads(parameters.read_text())["hook_url"] == "(set, not shown)"


def test_the_crate_of_a_check_says_whether_it_failed(failed: Told, succeeded: Told) -> None:
    for case, status in ((failed, "Failed"), (succeeded, "Completed")):
        crate = json.loads((case.run.outdir / "ro-crate-metadata.json").read_text())
        (action,) = (entity for entity in crate["@graph"] if entity["@type"] == "CreateAction")
        assert action["actionStatus"] == f"http://schema.org/{status}ActionStatus"
        assert ("--qc_mito_threshold 300" in action.get("error", "")) == (status == "Failed")
