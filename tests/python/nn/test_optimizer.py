import subprocess
import sys
from copy import deepcopy

import pytest
import torch

from clearspot.nn.optimizer import Adam, AdamW


def trained(kind, state=None, steps=4):
    """Parameters and state after some steps with weight decay, clipping and a schedule."""
    torch.manual_seed(0)
    parameters = [torch.randn(5, 3, requires_grad=True), torch.randn(3, requires_grad=True)]
    optimizer = kind([{"params": parameters[:1]}, {"params": parameters[1:], "lr": 0.02}], lr=0.1, weight_decay=0.01)
    if state is not None:
        optimizer.load_state_dict(deepcopy(state))  # its tensors are updated in place
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    for _ in range(steps):
        optimizer.zero_grad()
        (parameters[0].pow(2).sum() + parameters[1].pow(4).sum()).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
    return parameters, optimizer


@pytest.mark.parametrize(("mine", "theirs"), [(Adam, torch.optim.Adam), (AdamW, torch.optim.AdamW)])
def test_steps_are_pytorchs(mine, theirs):
    for first, second in zip(trained(mine)[0], trained(theirs)[0], strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize(("mine", "theirs"), [(Adam, torch.optim.Adam), (AdamW, torch.optim.AdamW)])
def test_a_state_of_pytorchs_optimiser_can_be_loaded(mine, theirs):
    state = trained(theirs)[1].state_dict()
    for first, second in zip(trained(mine, state)[0], trained(theirs, state)[0], strict=True):
        assert torch.equal(first, second)


def test_training_does_not_import_the_compiler():
    code = """
import sys, torch
from clearspot.nn.optimizer import Adam, AdamW
for kind in (Adam, AdamW):
    weight = torch.zeros(3, requires_grad=True)
    optimizer = kind([weight])
    optimizer.zero_grad()
    weight.sum().backward()
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
