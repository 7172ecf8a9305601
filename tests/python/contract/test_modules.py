"""The shape of every module: its record, its other outputs, its stub, and the description in ``meta.yml``."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from clearspot.contract.steps import STEPS, Step

NAME = re.compile(r"""\b(?:val|path)\b[ (]*(?:"([^"]+)"|'([^']+)'|(\w+))""")
RECORDED = [step for step in STEPS if step.record is not None]
OF_A_SAMPLE = [step for step in RECORDED if step.scope != "run"]
CAN_REFUSE = [step for step in RECORDED if step in OF_A_SAMPLE or not step.required]


@dataclass(frozen=True)
class Channel:
    """One line of ``input:`` or ``output:``, and the names of its parts."""

    parts: tuple[str, ...]
    line: str

    @classmethod
    def read(cls, line: str) -> "Channel":
        parts = ("".join(found) for found in NAME.findall(line))
        return cls(tuple(parts), line)

    def option(self, name: str) -> str | None:
        found = re.search(rf"\b{name}: ([\w]+)", self.line)
        return found and found[1]

    @property
    def is_optional(self) -> bool:
        return self.option("optional") == "true" or "arity: '0..*'" in self.line


@dataclass(frozen=True)
class Module:
    """The parts of a module's ``main.nf``, and its ``meta.yml``."""

    inputs: tuple[Channel, ...]
    outputs: tuple[Channel, ...]
    script: str
    stub: str
    meta: dict[str, Any]

    @classmethod
    def of(cls, repo: Path, step: Step) -> "Module":
        (path,) = [
            path
            for path in (repo / "modules" / "local").rglob("main.nf")
            if f"process {step.process} {{" in path.read_text()
        ]
        blocks = re.split(r"^    (input|output|script|stub):\n", path.read_text(), flags=re.MULTILINE)
        text = dict(zip(blocks[1::2], blocks[2::2], strict=True))
        channels = {
            name: tuple(Channel.read(line) for line in text[name].splitlines() if line.strip())
            for name in ("input", "output")
        }
        meta = yaml.safe_load(path.with_name("meta.yml").read_text())
        return cls(channels["input"], channels["output"], text["script"], text["stub"], meta)


def described(channel: Any) -> tuple[str, ...]:
    """Names of the parts of a channel in ``meta.yml``: one part, or a list of parts."""
    parts = channel if isinstance(channel, list) else [channel]
    return tuple(name for part in parts for name in part)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_meta_names_the_inputs_and_outputs_of_the_module(repo: Path, step: Step) -> None:
    module = Module.of(repo, step)
    assert [described(channel) for channel in module.meta["input"]] == [channel.parts for channel in module.inputs]
    named = {channel.option("emit"): channel.parts for channel in module.outputs if channel.option("emit")}
    assert {name: described(channel) for name, (channel,) in module.meta["output"].items()} == named
    topics = {channel.option("topic"): channel.parts for channel in module.outputs if channel.option("topic")}
    assert {name: described(part) for name, (part,) in module.meta.get("topics", {}).items()} == topics


@pytest.mark.parametrize("step", RECORDED, ids=lambda step: step.name)
def test_a_record_always_comes_out_and_nothing_else_must(repo: Path, step: Step) -> None:
    outputs = {channel.option("emit"): channel for channel in Module.of(repo, step).outputs if channel.option("emit")}
    assert not outputs.pop("record").is_optional
    if step in CAN_REFUSE:
        assert [name for name, channel in outputs.items() if not channel.is_optional] == []


@pytest.mark.parametrize("step", RECORDED, ids=lambda step: step.name)
def test_a_module_states_versions_and_asks_for_the_verdict_only(repo: Path, step: Step) -> None:
    module = Module.of(repo, step)
    assert [channel.parts for channel in module.outputs if channel.option("topic") == "versions"] == [("versions.yml",)]
    assert "--versions versions.yml" in module.script
    if step in CAN_REFUSE:
        sample = "--sample ${meta.id} " if step in OF_A_SAMPLE else ""
        assert "--verdict-only" in module.script
        assert f"stub_record.py --step {step.name} {sample}" in module.stub
