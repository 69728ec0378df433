"""The tutorial's training loop with nothing around it; prints how many steps a second one thread takes."""

import time

import torch

from playground.lessons.regression.config import Edits, RegressionConfig, build_model, draw_data
from tests.benchmarks.turns import obey

torch.set_num_threads(1)
config = RegressionConfig()
data = draw_data(config, Edits())
x, y, net = data.x_train, data.y_train, build_model(config)
optimizer = torch.optim.SGD(net.parameters(), lr=config.lr)
loss_func = torch.nn.MSELoss()


def steps_per_second(seconds: float) -> float:
    """Train for this long."""
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        prediction = net(x)
        loss = loss_func(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
    return steps / (time.perf_counter() - start)


if __name__ == "__main__":
    obey(steps_per_second)
