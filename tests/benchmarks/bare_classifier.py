"""A bare torch loop over shuffled batches of 10 on the circle; prints its weight updates a second on one thread."""

import time

import torch

from playground.lessons.classification.config import ClassificationConfig, build_model, draw_points, inputs_of
from tests.benchmarks.turns import obey

torch.set_num_threads(1)
config = ClassificationConfig(
    cloud="circle", noise=0.4, layers=1, units_1=4, activation="tanh", lr=0.1, batch_size=10, max_steps=0
)
data = draw_points(config)
x, y, net = inputs_of(config, data.x_train), data.y_train, build_model(config)
optimizer = torch.optim.SGD(net.parameters(), lr=config.lr)
loss_func = torch.nn.CrossEntropyLoss()


def steps_per_second(seconds: float) -> float:
    """Train for this long."""
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        order = torch.randperm(len(x))
        for at in range(0, len(x), config.batch_size):
            chosen = order[at : at + config.batch_size]
            loss = loss_func(net(x[chosen]), y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            steps += 1
    return steps / (time.perf_counter() - start)


if __name__ == "__main__":
    obey(steps_per_second)
