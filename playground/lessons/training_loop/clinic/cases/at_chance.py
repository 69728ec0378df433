"""Silent cases whose accuracy stays at chance."""

from __future__ import annotations

from playground.lessons.training_loop.clinic.case import Case, Edit, Measure

GROUP = "Stuck at chance"
TEST = Measure("test_accuracy", 0.5, "above")

NO_ACTIVATION = Case(
    "c1", GROUP,
    """\
torch.manual_seed(SEED)
x, y = rings()
model = nn.Sequential(nn.Linear(2, 16), nn.Linear(16, 16), nn.Linear(16, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
loss_fn = nn.CrossEntropyLoss()

for step in range(200):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

train_accuracy = accuracy(model, x, y)
""",
    Edit("model = nn.Sequential(nn.Linear(2, 16), nn.Linear(16, 16), nn.Linear(16, 2))",
         "model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))",
         "With a ReLU between the layers the border can bend."),
    (
        Edit("model = nn.Sequential(nn.Linear(2, 16), nn.Linear(16, 16), nn.Linear(16, 2))",
             "model = nn.Sequential(nn.Linear(2, 64), nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 2))",
             "Any number of linear layers in a row is one linear layer."),
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.02)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.2)",
             "No straight line separates a ring from the ring around it, at any rate."),
        Edit("for step in range(200):", "for step in range(1000):",
             "The best straight line is found after a few steps, and it is no better than chance."),
    ),
    fault="There is no activation between the layers",
    clue="The loss stays at ln 2 = 0.693, that of a coin. Ask which borders this model can draw.",
    why="Linear after linear is linear: the model draws a straight border, and a ring lies on both sides of any line.",
    measure=Measure("train_accuracy", 0.69, "above"),
)  # fmt: skip

TRAIN_FORGOTTEN_WITH_BATCH_NORM = Case(
    "c2", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True, drop_last=True)
layers = [nn.Linear(64, 32), nn.BatchNorm1d(32), nn.Sigmoid()]
for _ in range(4): layers += [nn.Linear(32, 32), nn.BatchNorm1d(32), nn.Sigmoid()]
model = nn.Sequential(*layers, nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(6):
    model.eval()
    test_accuracy = accuracy(model, x_test, y_test)
    for batch_x, batch_y in loader:
        loss = loss_fn(model(batch_x), batch_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

model.eval()
test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("    test_accuracy = accuracy(model, x_test, y_test)",
         "    test_accuracy = accuracy(model, x_test, y_test)\n    model.train()",
         "Batch normalisation normalises again while the model trains."),
    (
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)",
             "Behind five sigmoids the gradient is tiny; a lower rate makes the steps tinier."),
        Edit("for epoch in range(6):", "for epoch in range(12):",
             "Twice as many epochs in the wrong mode."),
        Edit("        optimizer.step()", "        optimizer.step()\n        model.eval()",
             "It was in that mode already."),
    ),
    fault="train() was forgotten after the test",
    clue="The loss stays at ln 10 = 2.303. Read in which mode the model is while it trains.",
    why="In eval mode batch normalisation uses its running averages, which no batch has ever changed: it normalises "
        "nothing, and five sigmoids in a row pass on almost no gradient.",
    also=("    model.eval()",),
    measure=TEST,
)  # fmt: skip

SIGMOIDS_TOO_DEEP = Case(
    "c3", GROUP,
    """\
torch.manual_seed(SEED)
x, y = rings()
activation = nn.Sigmoid
layers = [nn.Linear(2, 16), activation()]
for _ in range(5): layers += [nn.Linear(16, 16), activation()]
model = nn.Sequential(*layers, nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
loss_fn = nn.CrossEntropyLoss()

for step in range(500):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    first, last = model[0].weight.grad.norm(), model[-1].weight.grad.norm()
    optimizer.step()

train_accuracy = accuracy(model, x, y)
""",
    Edit("activation = nn.Sigmoid", "activation = nn.ReLU",
         "A ReLU passes a gradient on as it is where it is active."),
    (
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)",
             "The first layer's gradient is a millionth of the last one's: no one rate suits both."),
        Edit("for _ in range(5): layers += [nn.Linear(16, 16), activation()]",
             "for _ in range(8): layers += [nn.Linear(16, 16), activation()]",
             "More layers make the gradient smaller still."),
        Edit("    loss = loss_fn(model(x), y)", "    loss = 10 * loss_fn(model(x), y)",
             "All gradients are ten times as large, and their ratio stays."),
    ),
    fault="Six sigmoids in a row",
    clue="Compare the gradients of the first and the last layer, beside their line.",
    why="The slope of a sigmoid is at most 1/4, so six of them divide the gradient by 4,000 and more on its way to the "
        "first layer.",
    also=("layers = [nn.Linear(2, 16), activation()]",
          "for _ in range(5): layers += [nn.Linear(16, 16), activation()]"),
    measure=Measure("train_accuracy", 0.69, "above"),
)  # fmt: skip

HEAD_AFTER_OPTIMIZER = Case(
    "c4", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
body = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
model = nn.Sequential(body, nn.Linear(64, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
model[1] = nn.Linear(64, 10)  # a new head: ten digits
body.requires_grad_(False)  # and a frozen body
loss_fn = nn.CrossEntropyLoss()

for step in range(200):
    loss = loss_fn(model(x), y)
    model.zero_grad()
    loss.backward()
    optimizer.step()

test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("body.requires_grad_(False)  # and a frozen body",
         "body.requires_grad_(False)  # and a frozen body\noptimizer = "
         "torch.optim.Adam(model[1].parameters(), lr=0.01)",
         "The optimizer is made last, with the parameters of the new head."),
    (
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.01)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.1)",
             "The rate is for parameters that the optimizer has, and the new head is not among them."),
        Edit("    loss.backward()\n    optimizer.step()",
             "    loss.backward()\n    nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n    optimizer.step()",
             "The head's gradient is there already; what is missing is somebody who uses it."),
        Edit("body = nn.Sequential(nn.Linear(64, 64), nn.ReLU())",
             "body = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU())",
             "The body is not trained at all, so its size does not matter here."),
    ),
    fault="The head was replaced after the optimizer was made",
    clue="The head has a gradient, yet step() moves nothing. Read which of the lines came first.",
    why="The optimizer still has the old head's parameters. The new ones are in no optimizer.",
    also=("model[1] = nn.Linear(64, 10)  # a new head: ten digits",
          "optimizer = torch.optim.Adam(model.parameters(), lr=0.01)"),
    measure=TEST,
)  # fmt: skip

DIVIDED_TWICE = Case(
    "c5", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digit_bytes()
x, x_test = x / 255, x_test / 255
x, x_test = x.float() / 255, x_test.float() / 255
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
loss_fn = nn.CrossEntropyLoss()

for step in range(300):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("x, x_test = x.float() / 255, x_test.float() / 255", "x, x_test = x.float(), x_test.float()",
         "Pixels go from 0 to 1, as was meant."),
    (
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.5)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.05)",
             "The gradient is tiny already, and so are the steps."),
        Edit("model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))",
             "model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))",
             "A larger model sees the same almost black images."),
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.5)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.5, weight_decay=0.01)",
             "Weights would have to be large to see such small inputs; decay makes them smaller."),
    ),
    fault="The pixels were divided by 255 twice",
    clue="The loss stays near ln 10 = 2.303. Read the range of x beside each of its lines.",
    why="Inputs of at most 0.004 hardly change the outputs, and the gradient of a weight is multiplied by its input.",
    also=("x, x_test = x / 255, x_test / 255",),
    measure=TEST,
)  # fmt: skip

BYTES_WRAP_ROUND = Case(
    "c6", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digit_bytes()
x = (x - 100).float() / 100
x_test = (x_test.float() - 100) / 100
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
loss_fn = nn.CrossEntropyLoss()

for step in range(200):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("x = (x - 100).float() / 100", "x = (x.float() - 100) / 100",
         "First float, then minus: black pixels are −1."),
    (
        Edit("x = (x - 100).float() / 100", "x = (x - 100).float() / 255",
             "Another scale of the same wrong numbers."),
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.002)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.02)",
             "It learns the wrong images faster."),
        Edit("model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))",
             "model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))",
             "A larger model learns the wrong images, too."),
    ),
    fault="Bytes wrap round below 0",
    clue="Compare the ranges of x and x_test: no pixel of x is negative.",
    why="uint8 has no −100: 0 − 100 is 156. Black becomes brighter than grey, and only in the training images.",
    measure=TEST,
)  # fmt: skip

BATCH_OF_ONE = Case(
    "c7", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
x, x_test = x.reshape(-1, 1, 8, 8), x_test.reshape(-1, 1, 8, 8)
batch_size = 1
conv = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1))
pool = nn.Sequential(nn.BatchNorm2d(32), nn.AdaptiveAvgPool2d(1), nn.Flatten())
model = nn.Sequential(conv, pool, nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(300):
    i = torch.randint(0, 1200, (batch_size,))
    loss = loss_fn(model(x[i]), y[i])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

model.eval()
test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("batch_size = 1", "batch_size = 32", "The mean over a batch differs from the mean of each image in it."),
    (
        Edit("for step in range(300):", "for step in range(600):",
             "All images look alike to the last layer, however often it sees them."),
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.01)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.001)",
             "The noise of single images is not the reason."),
        Edit("    loss.backward()",
             "    loss.backward()\n    nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
             "The gradients are not too long: they carry nothing about the image."),
    ),
    fault="Batch normalisation over a batch of one image",
    clue="The loss stays near ln 10 = 2.303. Ask what is left of one image after its own mean is subtracted.",
    why="With one image, batch normalisation subtracts that image's own mean, and the average that follows is always "
        "the same number: nothing about the digit is left.",
    also=("pool = nn.Sequential(nn.BatchNorm2d(32), nn.AdaptiveAvgPool2d(1), nn.Flatten())",
          "    i = torch.randint(0, 1200, (batch_size,))"),
    measure=Measure("test_accuracy", 0.25, "above"),
)  # fmt: skip

CASES = (
    NO_ACTIVATION, TRAIN_FORGOTTEN_WITH_BATCH_NORM, SIGMOIDS_TOO_DEEP, HEAD_AFTER_OPTIMIZER, DIVIDED_TWICE,
    BYTES_WRAP_ROUND, BATCH_OF_ONE,
)  # fmt: skip
