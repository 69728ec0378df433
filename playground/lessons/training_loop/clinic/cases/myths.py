"""Myths: changes that people warn of. About half of them do no harm here, the others do, and the runs tell which.

A case's script has the change, its cure takes it back, and `fault` is what people say.
"""

from __future__ import annotations

from dataclasses import replace

from playground.lessons.training_loop.clinic.case import Case, Edit, Measure
from playground.lessons.training_loop.clinic.cases import fails_in_test, impossible_losses, learns_badly

GROUP = "Broken or not?"

BIAS_BEFORE_BATCH_NORM = Case(
    "m1", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
x, x_test = x.reshape(-1, 1, 8, 8), x_test.reshape(-1, 1, 8, 8)
conv = nn.Conv2d(1, 8, 3, padding=1)
head = nn.Sequential(nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10))
model = nn.Sequential(conv, head)
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
loss_fn = nn.CrossEntropyLoss()

for step in range(150):
    i = torch.randint(0, 1200, (50,))
    loss = loss_fn(model(x[i]), y[i])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

model.eval()
test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("conv = nn.Conv2d(1, 8, 3, padding=1)", "conv = nn.Conv2d(1, 8, 3, padding=1, bias=False)", ""),
    fault="“A convolution before batch normalisation must not have a bias.”",
    why="Batch normalisation subtracts the mean, and the bias with it. The bias is useless: it costs a few numbers and "
        "harms nothing.",
    measure=Measure("test_accuracy", 0.85, "above"),
)  # fmt: skip

ZERO_GRAD_LAST = Case(
    "m2", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.MSELoss()

for step in range(200):
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()

mse = loss_fn(model(x), y).item()
""",
    Edit("    loss.backward()\n    optimizer.step()\n    optimizer.zero_grad()",
         "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()", ""),
    fault="“zero_grad() must stand before backward(). After step() it comes too late.”",
    why="It only has to stand between one step() and the next backward(). The losses are equal to the last digit.",
    measure=Measure("mse", 0.055),
)  # fmt: skip

SORTED = replace(
    learns_badly.SORTED_WITHOUT_SHUFFLE, name="m3", group=GROUP, others=(),
    fault="“Training data must be shuffled.” Here it is sorted by digit, and it is not.",
    why="A batch of one digit teaches to answer this digit always. In the order of the labels, shuffling is needed.",
)  # fmt: skip

SWAPPED_ARGUMENTS = Case(
    "m4", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.MSELoss()

for step in range(200):
    loss = loss_fn(y, model(x))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

mse = loss_fn(model(x), y).item()
""",
    Edit("    loss = loss_fn(y, model(x))", "    loss = loss_fn(model(x), y)", ""),
    fault="“The output comes first, then the target. The other way round is wrong.”",
    why="A squared difference does not change its value with the order. For CrossEntropyLoss the order matters.",
    measure=Measure("mse", 0.055),
)  # fmt: skip

EVAL_FORGOTTEN = replace(
    fails_in_test.EVAL_FORGOTTEN_WITH_DROPOUT, name="m5", group=GROUP, others=(),
    fault="“Before a test call model.eval().” Here nobody does; the test is under torch.no_grad() all the same.",
    why="no_grad() switches gradients off, not dropout: the test asks a model without 70 % of its units.",
)  # fmt: skip

SCRAMBLED_PIXELS = Case(
    "m6", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
order = torch.randperm(64)
x, x_test = x[:, order], x_test[:, order]
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(150):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("x, x_test = x[:, order], x_test[:, order]", "x, x_test = x[:, order.sort()[0]], x_test[:, order.sort()[0]]",
         ""),
    fault="“Who scrambles the pixels of all images cannot learn anything from them.”",
    why="A Linear layer has a weight for each pixel and does not know which pixels are neighbours: one fixed "
        "order is as "
        "good as another. A convolution would suffer.",
    measure=Measure("test_accuracy", 0.93, "above"),
)  # fmt: skip

LONG_TARGETS = Case(
    "m7", GROUP,
    """\
torch.manual_seed(SEED)
x = torch.linspace(-1, 1, 100).unsqueeze(1)
y = (10 * x**2).round().long()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
loss_fn = nn.MSELoss()

for step in range(300):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

mse = loss_fn(model(x), y).item()
""",
    Edit("y = (10 * x**2).round().long()", "y = (10 * x**2).round()", ""),
    fault="“MSELoss needs float targets. Whole numbers raise: Found dtype Long but expected Float.”",
    why="Older versions of torch raised. This one converts the targets, and the losses are equal to the last digit.",
    measure=Measure("mse", 6.0),
)  # fmt: skip

ZERO_GRAD_FORGOTTEN = replace(
    learns_badly.ZERO_GRAD_FORGOTTEN, name="m8", group=GROUP, others=(),
    fault="“Call zero_grad() in every step.” Here it is nowhere.",
    why="Each step follows the sum of all gradients since the start, and the loss swings.",
)  # fmt: skip

MIXED_WITHOUT_SHUFFLE = Case(
    "m9", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()  # in random order
loader = DataLoader(TensorDataset(x, y), batch_size=32)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(8):
    for batch_x, batch_y in loader:
        loss = loss_fn(model(batch_x), batch_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("loader = DataLoader(TensorDataset(x, y), batch_size=32)",
         "loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)", ""),
    fault="“Training data must be shuffled in every epoch.” Here it is in random order, but always in the same.",
    why="The batches have all digits. That they are the same in each epoch costs less than the seed does.",
    measure=Measure("test_accuracy", 0.8, "above"),
)  # fmt: skip

SOFTMAX_TWICE = replace(
    impossible_losses.SOFTMAX_TWICE, name="m10", group=GROUP, others=(),
    fault="“The outputs for CrossEntropyLoss must not go through a softmax.” Here they do.",
    why="CrossEntropyLoss applies a softmax itself. Of probabilities it makes a loss that never falls below 1.461.",
)  # fmt: skip

SEED_IN_THE_LOOP = replace(
    fails_in_test.SEED_IN_THE_LOOP, name="m11", group=GROUP, others=(),
    fault="“Set the seed once, before the loop.” Here it is set in every step.",
    why="Each step draws the same 32 images: the model learns them by heart and never sees the others.",
)  # fmt: skip

CASES = (
    BIAS_BEFORE_BATCH_NORM, ZERO_GRAD_LAST, SORTED, SWAPPED_ARGUMENTS, EVAL_FORGOTTEN, SCRAMBLED_PIXELS, LONG_TARGETS,
    ZERO_GRAD_FORGOTTEN, MIXED_WITHOUT_SHUFFLE, SOFTMAX_TWICE, SEED_IN_THE_LOOP,
)  # fmt: skip
