"""Pictures, tasks and drawn steps for the batched degradations."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from operators.degradations.batched.table import BATCHED
from operators.degradations.batched.tasks import Task, to_tensor
from operators.degradations.streams import Streams
from operators.degradations.table import DEGRADATIONS


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request):
    """Each device that there is a test for."""
    return request.param


@pytest.fixture(autouse=True)
def one_thread():
    """Tests share their cores; one thread is faster than two that wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def needs_its_device(request):
    """Skips what needs CUDA where there is none."""
    if request.node.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


@pytest.fixture(scope="session")
def crop():
    """A window of a photograph, (h, w, 3) float32 in [0, 1], read-only, by height, width and number."""
    picture = astronaut()

    def cut(height, width, number=0):
        random = np.random.default_rng(number)
        top, left = random.integers(0, 300 - min(299, height)), random.integers(60, 200)
        image = np.ascontiguousarray(picture[top : top + height, left : left + width], dtype=np.float32)
        image /= np.float32(255)
        image.flags.writeable = False
        return image

    return cut


@pytest.fixture(scope="session")
def make_task():
    """A task: image, use and parameters, with a seed by number."""

    def make(image, use, parameters, number=0):
        degradation = DEGRADATIONS[use].model_validate(parameters)
        return Task(to_tensor(image), degradation, Streams(5, use, number).seed_of("step", "pixels"), image.shape[:2])

    return make


@pytest.fixture(scope="session")
def run_together():
    """Runs tasks of one use, those of one shape together; results in the order of the tasks."""

    def run(use, tasks, device):
        groups = defaultdict(list)
        for index, task in enumerate(tasks):
            groups[BATCHED[use].shape(task)].append(index)
        results = {}
        for members in groups.values():
            found = BATCHED[use].run([tasks[index] for index in members], torch.device(device))
            results.update(zip(members, found, strict=True))
        return [results[index] for index in range(len(tasks))]

    return run
