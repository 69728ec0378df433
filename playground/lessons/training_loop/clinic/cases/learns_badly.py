"""Silent cases that learn, but badly."""

from __future__ import annotations

from playground.lessons.training_loop.clinic.case import Case, Edit, Measure

GROUP = "Learns badly"

ZERO_GRAD_FORGOTTEN = Case(
    "b1", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(8):
    for batch_x, batch_y in loader:
        loss = loss_fn(model(batch_x), batch_y)
        loss.backward()
        optimizer.step()

test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("        loss.backward()", "        optimizer.zero_grad()\n        loss.backward()",
         "Each step uses the gradient of its own batch alone."),
    (
        Edit("        loss.backward()", "        loss.backward(retain_graph=True)",
             "The graph is not what is missing; the old gradients are still added."),
        Edit("model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))",
             "model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))",
             "A larger model swings as well."),
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)",
             "The sum of all gradients is a momentum that never fades; this adds more of it."),
    ),
    fault="zero_grad() is missing",
    clue="The loss swings, and the gradient norm beside backward() grows to many times its first value.",
    why="backward() adds to .grad. Without zero_grad() each step follows the sum of all gradients since the start.",
    also=("        optimizer.step()",),
    measure=Measure("test_accuracy", 0.8, "above"),
)  # fmt: skip

RATE_TOO_LOW = Case(
    "b2", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.005)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(8):
    for batch_x, batch_y in loader:
        loss = loss_fn(model(batch_x), batch_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.005)",
         "optimizer = torch.optim.SGD(model.parameters(), lr=0.05)", "Ten times as far in each step."),
    (
        Edit("model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))",
             "model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10))",
             "The model had learnt little because it had moved little; a deeper one moves even less."),
        Edit("loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)",
             "loader = DataLoader(TensorDataset(x, y), batch_size=128, shuffle=True)",
             "Larger batches mean fewer steps."),
        Edit("        loss.backward()",
             "        loss.backward()\n        nn.utils.clip_grad_norm_(model.parameters(), 0.5)",
             "Clipping makes steps shorter still."),
    ),
    fault="The learning rate is ten times too low",
    clue="The loss is still falling in a straight line when the script ends.",
    why="Nothing is broken but the length of the steps: a curve that still falls straight at its end says so.",
    measure=Measure("test_accuracy", 0.65, "above"),
)  # fmt: skip

SCHEDULER_EVERY_BATCH = Case(
    "b3", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(10):
    for batch_x, batch_y in loader:
        loss = loss_fn(model(batch_x), batch_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()

lr = optimizer.param_groups[0]["lr"]
test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("        scheduler.step()", "    scheduler.step()", "Once per epoch: the rate is halved after four epochs."),
    (
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.05)",
             "A lower first rate is gone even sooner."),
        Edit("for epoch in range(10):", "for epoch in range(20):",
             "The rate is almost 0 after the first epoch: more epochs change nothing."),
        Edit("scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)",
             "scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.8)",
             "In 380 steps this falls to nothing, too."),
    ),
    fault="The scheduler steps after every batch",
    clue="The curve freezes in the first epoch. Read the learning rate at the end.",
    why="step_size=4 was meant in epochs. Called after each batch, the rate is halved 9 times per epoch.",
    also=("scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)",),
    measure=Measure("test_accuracy", 0.7, "above"),
)  # fmt: skip

MODEL_IN_THE_LOOP = Case(
    "b4", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
loss_fn = nn.CrossEntropyLoss()
def start():
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    return model, torch.optim.SGD(model.parameters(), lr=0.05)

for epoch in range(8):
    model, optimizer = start()
    for batch_x, batch_y in loader:
        loss = loss_fn(model(batch_x), batch_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("for epoch in range(8):\n    model, optimizer = start()", "model, optimizer = start()\nfor epoch in range(8):",
         "The model is made once and keeps what it has learnt."),
    (
        Edit("loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)",
             "loader = DataLoader(TensorDataset(x, y), batch_size=32)",
             "Shuffling was not what made the loss jump."),
        Edit("    return model, torch.optim.SGD(model.parameters(), lr=0.05)",
             "    return model, torch.optim.SGD(model.parameters(), lr=0.02)",
             "Each model has one epoch only, and now it moves less in it."),
        Edit("for epoch in range(8):", "for epoch in range(16):",
             "Sixteen models with one epoch each."),
    ),
    fault="The model is made again in every epoch",
    clue="The loss jumps back to its first value at the start of each epoch.",
    why="What stands inside the loop happens in every round: the last model has trained for one epoch.",
    measure=Measure("test_accuracy", 0.6, "above"),
)  # fmt: skip

WEIGHTS_ALL_EQUAL = Case(
    "b5", GROUP,
    """\
torch.manual_seed(SEED)
x, y = rings()
model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
for p in model.parameters(): nn.init.constant_(p, 0.1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
loss_fn = nn.CrossEntropyLoss()

for step in range(300):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

spread = model[0].weight.std(0).max().item()
train_accuracy = accuracy(model, x, y)
""",
    Edit("model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))\n"
         "for p in model.parameters(): nn.init.constant_(p, 0.1)",
         "model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))",
         "torch's random start makes sixteen different units."),
    (
        Edit("model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))",
             "model = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 2))",
             "Sixty-four copies of one unit."),
        Edit("for p in model.parameters(): nn.init.constant_(p, 0.1)",
             "for p in model.parameters(): nn.init.constant_(p, 0.5)",
             "Another constant is as equal as the first."),
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.02)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.1)",
             "Equal gradients make equal steps of any length."),
    ),
    fault="All weights begin equal",
    clue="Read how much the weights of the sixteen units differ in the end.",
    why="Equal units get equal gradients and stay equal for ever: sixteen units act as one.",
    measure=Measure("train_accuracy", 0.8, "above"),
)  # fmt: skip

LAYERS_IN_A_LIST = Case(
    "b6", GROUP,
    """\
torch.manual_seed(SEED)
x, y = rings()
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = [nn.Linear(2, 4), nn.Linear(4, 4), nn.Linear(4, 4)]
        self.out = nn.Linear(4, 2)
    def forward(self, x):
        for layer in self.hidden: x = torch.tanh(layer(x))
        return self.out(x)

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
loss_fn = nn.CrossEntropyLoss()

for step in range(300):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

train_accuracy = accuracy(model, x, y)
""",
    Edit("        self.hidden = [nn.Linear(2, 4), nn.Linear(4, 4), nn.Linear(4, 4)]",
         "        self.hidden = nn.ModuleList([nn.Linear(2, 4), nn.Linear(4, 4), nn.Linear(4, 4)])",
         "A ModuleList tells the module which parameters it has: 62 instead of 10."),
    (
        Edit("        self.hidden = [nn.Linear(2, 4), nn.Linear(4, 4), nn.Linear(4, 4)]",
             "        self.hidden = (nn.Linear(2, 4), nn.Linear(4, 4), nn.Linear(4, 4))",
             "A tuple is as invisible to nn.Module as a list."),
        Edit("        for layer in self.hidden: x = torch.tanh(layer(x))",
             "        for layer in self.hidden: x = torch.relu(layer(x))",
             "The activation is not the reason: the hidden layers do not learn."),
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.03)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.003)",
             "Ten numbers move more slowly, the other 52 not at all."),
    ),
    fault="The layers are in a Python list",
    clue="Count the numbers to learn beside the line that makes the model.",
    why="nn.Module registers modules that are attributes or in its own containers. Of a plain list it knows nothing, "
        "so model.parameters() has the last layer alone.",
    measure=Measure("train_accuracy", 0.9, "above"),
)  # fmt: skip

DETACHED_INSIDE = Case(
    "b7", GROUP,
    """\
torch.manual_seed(SEED)
x, y = rings()
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden1, self.hidden2 = nn.Linear(2, 8), nn.Linear(8, 4)
        self.out = nn.Linear(4, 2)
    def forward(self, x):
        h = torch.tanh(self.hidden1(x))
        h = torch.tanh(self.hidden2(h)).detach()
        return self.out(h)

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
loss_fn = nn.CrossEntropyLoss()

for step in range(400):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

train_accuracy = accuracy(model, x, y)
""",
    Edit("        h = torch.tanh(self.hidden2(h)).detach()", "        h = torch.tanh(self.hidden2(h))",
         "The gradient reaches the hidden layers."),
    (
        Edit("        h = torch.tanh(self.hidden2(h)).detach()", "        h = torch.tanh(self.hidden2(h)).data",
             ".data cuts the graph, too."),
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.02)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.002)",
             "The last layer learns more slowly; the others have no gradient."),
        Edit("    loss.backward()", "    loss.backward(retain_graph=True)",
             "The graph that is kept ends at detach(), too."),
    ),
    fault="detach() inside the model",
    clue="Some parameters have no gradient after backward(): read beside it how many.",
    why="detach() gives the same numbers without their graph: for backward() the way ends there.",
    measure=Measure("train_accuracy", 0.94, "above"),
)  # fmt: skip

TARGETS_IN_THOUSANDS = Case(
    "b8", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
y = 200000 + 100000 * y  # prices of houses
model = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.MSELoss()

for step in range(400):
    output = model(x)
    loss = loss_fn(output, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

r2 = 1 - (((output - y) ** 2).mean() / y.var()).item()
""",
    Edit("y = 200000 + 100000 * y  # prices of houses",
         "y = 200000 + 100000 * y  # prices of houses\ny = (y - y.mean()) / y.std()",
         "Targets around 0 with a spread of 1 are near what the model starts with."),
    (
        Edit("model = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 1))",
             "model = nn.Sequential(nn.Linear(1, 100), nn.ReLU(), nn.Linear(100, 1))",
             "A larger model is as far from 200,000."),
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.01)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.1)",
             "Adam moves each weight by about its rate per step: 200,000 is still far away."),
        Edit("loss_fn = nn.MSELoss()", "loss_fn = nn.L1Loss()", "Adam takes steps of the same length with any loss."),
    ),
    fault="The targets are not scaled",
    clue="Compare the ranges of output and y at the end.",
    why="Adam adapts to the size of gradients, not to the size of targets: each step moves a weight by about 0.01, "
        "however large the error is.",
    measure=Measure("r2", 0.5, "above"),
)  # fmt: skip

ONE_COLUMN_LARGE = Case(
    "b9", GROUP,
    """\
torch.manual_seed(SEED)
x, y = moons()
x[:, 1] = 30000 + 10000 * x[:, 1]  # age and income
model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
loss_fn = nn.CrossEntropyLoss()

for step in range(300):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

train_accuracy = accuracy(model, x, y)
""",
    Edit("x[:, 1] = 30000 + 10000 * x[:, 1]  # age and income",
         "x[:, 1] = 30000 + 10000 * x[:, 1]  # age and income\nx = (x - x.mean(0)) / x.std(0)",
         "Both columns have mean 0 and standard deviation 1."),
    (
        Edit("x[:, 1] = 30000 + 10000 * x[:, 1]  # age and income",
             "x[:, 1] = 30000 + 10000 * x[:, 1]  # age and income\nx = (x - x.mean()) / x.std()",
             "One mean and one deviation for both columns leave them as different as before."),
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.02)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.002)",
             "Adam scales gradients, not inputs, and now its steps are shorter."),
        Edit("model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))",
             "model = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 2))",
             "More units see the income, and hardly the age."),
    ),
    fault="One column is in the thousands",
    clue="The first loss is in the hundreds. Read the range of x.",
    why="Beside incomes of 30,000 an age between −1 and 2 changes nothing. Each column needs its own scale.",
    measure=Measure("train_accuracy", 0.93, "above"),
)  # fmt: skip

SORTED_WITHOUT_SHUFFLE = Case(
    "b10", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
order = y.argsort()
x, y = x[order], y[order]  # a folder for each digit
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
         "loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)",
         "Each batch has all digits, and its gradient is about that of all data."),
    (
        Edit("loader = DataLoader(TensorDataset(x, y), batch_size=32)",
             "loader = DataLoader(TensorDataset(x, y), batch_size=64)",
             "A batch of 64 still holds one digit, or two."),
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.02)",
             "It forgets more slowly, and learns more slowly."),
        Edit("model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))",
             "model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))",
             "A larger model follows the last batch as well."),
    ),
    fault="Sorted data is not shuffled",
    clue="The loss is a saw: low at the end of a digit, high at the start of the next.",
    why="A batch of one digit teaches to answer this digit always, and to forget the others.",
    also=("x, y = x[order], y[order]  # a folder for each digit",),
    measure=Measure("test_accuracy", 0.85, "above"),
)  # fmt: skip

CLIP_BEFORE_BACKWARD = Case(
    "b11", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
x, y = 10 * x, 100 * y  # a steep slope
model = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
loss_fn = nn.MSELoss()

for step in range(400):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    loss.backward()
    optimizer.step()

r2 = 1 - (loss / y.var(unbiased=False)).item()
""",
    Edit("    nn.utils.clip_grad_norm_(model.parameters(), 5.0)\n    loss.backward()",
         "    loss.backward()\n    nn.utils.clip_grad_norm_(model.parameters(), 5.0)",
         "The gradient is clipped after it was computed and before it is used."),
    (
        Edit("    nn.utils.clip_grad_norm_(model.parameters(), 5.0)",
             "    nn.utils.clip_grad_norm_(model.parameters(), 0.5)",
             "There is nothing to clip before backward(), whatever the limit."),
        Edit("    nn.utils.clip_grad_norm_(model.parameters(), 5.0)",
             "    nn.utils.clip_grad_norm_(model.parameters(), 5.0, norm_type=1)",
             "Another way to clip nothing."),
        Edit("model = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 1))",
             "model = nn.Sequential(nn.Linear(1, 80), nn.ReLU(), nn.Linear(80, 80), nn.ReLU(), nn.Linear(80, 1))",
             "A larger model has a larger gradient."),
    ),
    fault="The gradient is clipped before backward()",
    clue="The gradient norm beside backward() is far above 5, and the loss leaps.",
    why="After zero_grad() there is no gradient to clip; the one that backward() computes then goes into the "
        "step as it "
        "is.",
    measure=Measure("r2", 0.6, "above"),
)  # fmt: skip

VIEW_FOR_PERMUTE = Case(
    "b12", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = pictures(600)  # (n, 16, 16, 3): height, width, colour
x, x_test = x.view(-1, 3, 16, 16), x_test.view(-1, 3, 16, 16)
model = nn.Sequential(nn.Conv2d(3, 12, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(12, 24, 3), nn.ReLU(),
                      nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(24, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(150):
    i = torch.randint(0, 600, (50,))
    loss = loss_fn(model(x[i]), y[i])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("x, x_test = x.view(-1, 3, 16, 16), x_test.view(-1, 3, 16, 16)",
         "x, x_test = x.permute(0, 3, 1, 2), x_test.permute(0, 3, 1, 2)",
         "The axes change their places, and each number keeps its own."),
    (
        Edit("x, x_test = x.view(-1, 3, 16, 16), x_test.view(-1, 3, 16, 16)",
             "x, x_test = x.reshape(-1, 3, 16, 16), x_test.reshape(-1, 3, 16, 16)",
             "reshape reads the numbers in the same order as view."),
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.01)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.003)",
             "Slower steps do not put the pixels back."),
        Edit("    i = torch.randint(0, 600, (50,))", "    i = torch.randint(0, 600, (100,))",
             "More pictures in each step, and all of them are in strips."),
    ),
    fault="view() instead of permute()",
    clue="The shape is what Conv2d asks for. Ask which numbers stand in the first channel now.",
    why="view counts the numbers differently and moves none: three neighbours in a row are the three colours of one "
        "pixel, so a channel shows strips and no digit.",
    measure=Measure("test_accuracy", 0.6, "above"),
)  # fmt: skip

CASES = (
    ZERO_GRAD_FORGOTTEN, RATE_TOO_LOW, SCHEDULER_EVERY_BATCH, MODEL_IN_THE_LOOP, WEIGHTS_ALL_EQUAL, LAYERS_IN_A_LIST,
    DETACHED_INSIDE, TARGETS_IN_THOUSANDS, ONE_COLUMN_LARGE, SORTED_WITHOUT_SHUFFLE, VIEW_FOR_PERMUTE,
    CLIP_BEFORE_BACKWARD,
)  # fmt: skip
