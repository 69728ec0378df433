"""Silent cases whose model ends as a flat line: one output for all inputs."""

from __future__ import annotations

from playground.lessons.training_loop.clinic.case import Case, Edit, Measure

GROUP = "Stops at a guess"
MSE = Measure("mse", 0.06)

TARGETS_OF_ANOTHER_SHAPE = Case(
    "f1", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
y = y.squeeze()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.MSELoss()

for step in range(300):
    output = model(x)
    loss = loss_fn(output, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

mse = ((model(x).squeeze() - y.squeeze()) ** 2).mean().item()
""",
    Edit("y = y.squeeze()", "y = y.reshape(100, 1)",
         "Output and target have the same shape, so each point meets its own target."),
    (
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.01)",
             "The loss falls to the same flat line, later."),
        Edit("model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))",
             "model = nn.Sequential(nn.Linear(1, 50), nn.ReLU(), nn.Linear(50, 1))",
             "A larger model learns the same wrong thing: the mean of y."),
        Edit("    loss = loss_fn(output, y)", "    loss = loss_fn(y, output)",
             "The order of the two makes no difference to this loss."),
    ),
    fault="A target of shape (100,) against an output of shape (100, 1)",
    clue="Compare the shapes of output and y.",
    why="Broadcasting makes 100 × 100 pairs of them: every output is compared with every target, and the best answer "
        "to that is one number, the mean of y. torch only warns.",
    also=("    loss = loss_fn(output, y)",),
    measure=MSE,
)  # fmt: skip

WEIGHTS_ALL_ZERO = Case(
    "f2", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
for p in model.parameters(): nn.init.zeros_(p)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.MSELoss()

for step in range(300):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

mse = loss_fn(model(x), y).item()
""",
    Edit("model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))\n"
         "for p in model.parameters(): nn.init.zeros_(p)",
         "model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))",
         "torch's own start is random, so the units differ from the beginning."),
    (
        Edit("for p in model.parameters(): nn.init.zeros_(p)",
             "for p in model.parameters(): nn.init.constant_(p, 0.1)",
             "Now the units move, but all of them alike: ten copies of one unit."),
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.1)",
             "The gradient of the hidden weights is exactly 0, and Adam divides it by its size in vain."),
        Edit("model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))",
             "model = nn.Sequential(nn.Linear(1, 50), nn.ReLU(), nn.Linear(50, 1))",
             "Fifty units that are all 0 are no better than ten."),
    ),
    fault="All weights begin at 0",
    clue="Only the last bias moves. Ask what the gradient of a weight is multiplied with on its way back.",
    why="The gradient of a hidden weight is multiplied by the next layer's weight, and that of the last layer by the "
        "hidden output. Both are 0, so only the last bias learns, and it learns the mean.",
    measure=MSE,
)  # fmt: skip

DEAD_UNITS = Case(
    "f3", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.9)
loss_fn = nn.MSELoss()

for step in range(200):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

dead = (model[:2](x) == 0).all(0).float().mean().item()
mse = loss_fn(model(x), y).item()
""",
    Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.9)",
         "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
         "No step is long enough to push a unit below 0 for all points."),
    (
        Edit("for step in range(200):", "for step in range(1000):",
             "A unit that is 0 for all points has no gradient: more steps do not move it."),
        Edit("x, y = parabola()", "x, y = parabola(400)",
             "The data is not what killed the units."),
        Edit("loss_fn = nn.MSELoss()", "loss_fn = nn.MSELoss(reduction=\"sum\")",
             "A sum has a larger gradient still."),
    ),
    fault="One long step has killed the hidden units",
    clue="The loss leaps in the first steps and is then flat. See how many units are dead in the end.",
    why="The first steps were so long that units became 0 for all points. Their gradient is 0 from then on, and the "
        "bias that is left learns the mean.",
    measure=MSE,
)  # fmt: skip

DECAY_TOO_STRONG = Case(
    "f4", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.3)
loss_fn = nn.MSELoss()

for step in range(300):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

size = sum(p.norm() for p in model.parameters()).item()
mse = loss_fn(model(x), y).item()
""",
    Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.3)",
         "optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.0001)",
         "The loss decides again, and the decay only keeps the weights from growing without need."),
    (
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.3)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.03, weight_decay=0.3)",
             "The balance between loss and decay does not depend on the rate."),
        Edit("for step in range(300):", "for step in range(1000):",
             "The run has settled: more steps change nothing."),
        Edit("model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))",
             "model = nn.Sequential(nn.Linear(1, 50), nn.ReLU(), nn.Linear(50, 1))",
             "The decay shrinks fifty units as it shrinks ten."),
    ),
    fault="The weight decay is far too strong",
    clue="The weights shrink while the loss stays high. Something else than the loss pulls at them.",
    why="Each step also multiplies all weights by 1 − 0.1 · 0.3 = 0.97. The loss of this small task is too weak to "
        "hold against that.",
    measure=MSE,
)  # fmt: skip

RELU_ON_THE_OUTPUT = Case(
    "f5", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
y = (y - y.mean()) / y.std()
model = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 1), nn.ReLU())
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.MSELoss()

for step in range(300):
    output = model(x)
    loss = loss_fn(output, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

mse = loss_fn(model(x), y).item()
""",
    Edit("model = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 1), nn.ReLU())",
         "model = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 1))",
         "The last layer may have any sign, as the targets have."),
    (
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.01)",
             "An output that cannot be negative cannot be negative at any rate."),
        Edit("model = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 1), nn.ReLU())",
             "model = nn.Sequential(nn.Linear(1, 80), nn.ReLU(), nn.Linear(80, 1), nn.ReLU())",
             "More hidden units meet the same limit at the end."),
        Edit("loss_fn = nn.MSELoss()", "loss_fn = nn.L1Loss()",
             "Another loss measures the same outputs, which have no negative value."),
    ),
    fault="The output goes through a ReLU",
    clue="Compare the range of output with that of y.",
    why="Half of the targets are negative, and a ReLU gives 0 there: with no gradient, so the output may even die.",
    measure=Measure("mse", 0.35),
)  # fmt: skip

CASES = (TARGETS_OF_ANOTHER_SHAPE, WEIGHTS_ALL_ZERO, DEAD_UNITS, DECAY_TOO_STRONG, RELU_ON_THE_OUTPUT)
