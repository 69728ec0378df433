"""The tutorial's race with nothing around it: four nets, one after the other; prints the steps a second of all four."""

import time

import torch

from playground.lessons.optimizers.config import ORDER, OptimizersConfig, build_model, draw_data, generator
from playground.training.trainer import Batches
from tests.benchmarks.turns import obey

torch.set_num_threads(1)
config = OptimizersConfig()
data = draw_data(config)
nets = [build_model(config, racer) for racer in range(4)]
optimizers = [
    torch.optim.SGD(nets[0].parameters(), lr=0.01, foreach=False),
    torch.optim.SGD(nets[1].parameters(), lr=0.01, momentum=0.8, foreach=False),
    torch.optim.RMSprop(nets[2].parameters(), lr=0.01, alpha=0.9, foreach=False),
    torch.optim.Adam(nets[3].parameters(), lr=0.01, betas=(0.9, 0.99), foreach=False),
]
loss_func = torch.nn.MSELoss()
batches = Batches(data.x_train, data.y_train, config.batch_size, generator(config, ORDER))


def steps_per_second(seconds: float) -> float:
    """Train for this long."""
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        x, y = batches.next()
        for net, optimizer in zip(nets, optimizers, strict=True):
            prediction = net(x)
            loss = loss_func(prediction, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            steps += 1
    return steps / (time.perf_counter() - start)


if __name__ == "__main__":
    obey(steps_per_second)
