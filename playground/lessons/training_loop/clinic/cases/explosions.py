"""Silent cases whose loss explodes or becomes NaN."""

from __future__ import annotations

from playground.lessons.training_loop.clinic.case import Case, Edit, Measure

GROUP = "Loss explodes"
MSE = Measure("mse", 0.055)

RATE_TOO_HIGH = Case(
    "x1", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=2.0)
loss_fn = nn.MSELoss()

for step in range(200):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

mse = loss_fn(model(x), y).item()
""",
    Edit("optimizer = torch.optim.SGD(model.parameters(), lr=2.0)",
         "optimizer = torch.optim.SGD(model.parameters(), lr=0.2)",
         "Each step is now short enough to end lower than it began."),
    (
        Edit("for step in range(200):", "for step in range(2000):",
             "More steps do not bring NaN back."),
        Edit("model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))",
             "model = nn.Sequential(nn.Linear(1, 100), nn.ReLU(), nn.Linear(100, 1))",
             "A larger model has larger gradients: it explodes even earlier."),
        Edit("x, y = parabola()", "x, y = parabola()\nx, y = x.nan_to_num(), y.nan_to_num()",
             "The data had no NaN: it comes from the steps."),
    ),
    fault="The learning rate is ten times too high",
    clue="The data is finite, the first loss is ordinary, and then each loss is several times the one before.",
    why="A step goes downhill by the rate times the gradient. When it overshoots, the next gradient is larger, and so "
        "is the next step.",
    measure=MSE,
)  # fmt: skip

SUM_FOR_MEAN = Case(
    "x2", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.MSELoss(reduction="sum")

for step in range(200):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

mse = nn.functional.mse_loss(model(x), y).item()
""",
    Edit('loss_fn = nn.MSELoss(reduction="sum")', "loss_fn = nn.MSELoss()",
         "The mean over 100 points has a gradient of a hundredth, which this learning rate suits."),
    (
        Edit("    optimizer.zero_grad()\n    loss.backward()", "    loss.backward()\n    optimizer.zero_grad()",
             "Now nothing moves at all: the gradient is deleted before the step."),
        Edit("model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))",
             "model = nn.Sequential(nn.Linear(1, 100), nn.ReLU(), nn.Linear(100, 1))",
             "The size of the model is not what explodes."),
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)",
             "Momentum adds earlier steps to each step, which makes it longer."),
    ),
    fault="The loss is a sum over the points, the learning rate was chosen for a mean",
    clue="The first loss is about a hundred times that of a guess, and the data has 100 points.",
    why="A sum over 100 points has a gradient 100 times as large as their mean: the learning rate is 100 times too "
        "high.",
    measure=MSE,
)  # fmt: skip

INPUTS_NOT_SCALED = Case(
    "x3", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
x = 100 * x  # the same points, in centimetres
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.MSELoss()

for step in range(200):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

mse = loss_fn(model(x), y).item()
""",
    Edit("x = 100 * x  # the same points, in centimetres",
         "x = 100 * x  # the same points, in centimetres\nx = (x - x.mean()) / x.std()",
         "Mean 0 and standard deviation 1: the weights of the first layer get gradients of an ordinary size."),
    (
        Edit("model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))",
             "model = nn.Sequential(nn.Linear(1, 100), nn.ReLU(), nn.Linear(100, 1))",
             "A larger model meets the same large inputs."),
        Edit("loss_fn = nn.MSELoss()", "loss_fn = nn.HuberLoss()",
             "This loss grows more slowly, but the steps are still far too long to learn anything."),
        Edit("for step in range(200):", "for step in range(2000):",
             "More steps do not bring NaN back."),
    ),
    fault="The inputs are not scaled",
    clue="Read the range of x beside its line, and then the first loss.",
    why="The gradient of a weight is multiplied by its input. Inputs of 100 make steps that are 100 times as long, "
        "and outputs that are 100 times as large.",
    measure=MSE,
)  # fmt: skip

CONSTANT_COLUMN = Case(
    "x4", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
mean, std = x.mean(0), x.std(0)
x = (x - mean) / std
x_test = (x_test - mean) / std
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(100):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("mean, std = x.mean(0), x.std(0)", "mean, std = x.mean(0), x.std(0) + 0.01",
         "No column is divided by 0 any more."),
    (
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.01)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.001)",
             "The inputs are NaN before the first step, so no learning rate helps."),
        Edit("    loss.backward()",
             "    loss.backward()\n    nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
             "A gradient of NaN has no length that could be clipped."),
        Edit("loss_fn = nn.CrossEntropyLoss()", "loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)",
             "The outputs are NaN already; another loss cannot repair them."),
    ),
    fault="A column that never changes is divided by its standard deviation, 0",
    clue="The loss is NaN from the first step. Look for the first line whose values hold NaN.",
    why="Corner pixels are 0 in all images, so (x − mean) / std is 0 / 0, which is NaN, and NaN spreads to every "
        "output.",
    also=("x = (x - mean) / std", "x_test = (x_test - mean) / std"),
    measure=Measure("test_accuracy", 0.6, "above"),
)  # fmt: skip

LOG_OF_ZERO = Case(
    "x5", GROUP,
    """\
torch.manual_seed(SEED)
x, y = blobs(centre=3.0)
y = y.float().unsqueeze(1)
model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)

for step in range(300):
    output = model(x)
    p = torch.sigmoid(output)
    loss = -(y * p.log() + (1 - y) * (1 - p).log()).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

train_accuracy = ((model(x) > 0) == (y > 0.5)).float().mean().item()
""",
    Edit("    loss = -(y * p.log() + (1 - y) * (1 - p).log()).mean()",
         "    loss = nn.functional.binary_cross_entropy_with_logits(output, y)",
         "The same loss, computed from the logits: no logarithm of a rounded 0."),
    (
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.05)",
             "A lower rate only comes to p = 1 later: more training of a model that is right leads there."),
        Edit("    loss.backward()",
             "    loss.backward()\n    nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
             "Clipping divides by the gradient's norm, and that is NaN."),
        Edit("    loss = -(y * p.log() + (1 - y) * (1 - p).log()).mean()",
             "    loss = -(y * p.log() + (1 - y) * (1 - p).log()).nan_to_num().mean()",
             "The loss is a number again, but backward() still multiplies 0 by ∞ inside."),
    ),
    fault="The logarithm of 0",
    clue="The loss falls well and then is NaN in one step: just when the model is surest.",
    why="float32 rounds a sigmoid of 17 or more to exactly 1, so log(1 − p) is −∞, and 0 times −∞ is NaN. "
        "BCEWithLogitsLoss computes the same without that logarithm.",
    also=("    p = torch.sigmoid(output)",),
    measure=Measure("train_accuracy", 0.8, "above"),
)  # fmt: skip

SQRT_OF_ZERO = Case(
    "x6", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8))
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)

for step in range(300):  # pairs: the same digit near, others apart
    i, j = torch.randint(0, 1200, (2, 64))
    d2 = ((model(x[i]) - model(x[j])) ** 2).sum(1)
    d = d2.sqrt()
    same = (y[i] == y[j]).float()
    loss = (same * d**2 + (1 - same) * torch.relu(1 - d) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

nearest = torch.cdist(model(x_test), model(x)).argmin(1)
test_accuracy = (y[nearest] == y_test).float().mean().item()
""",
    Edit("    d = d2.sqrt()", "    d = (d2 + 1e-8).sqrt()",
         "The slope of the root stays finite where an image is paired with itself."),
    (
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.005)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.0005)",
             "The step is not too long: one pair with distance 0 is enough, at any rate."),
        Edit("    loss.backward()",
             "    loss.backward()\n    nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
             "Clipping scales a gradient; NaN stays NaN."),
        Edit("    same = (y[i] == y[j]).float()", "    same = (y[i] == y[j]).double()",
             "More digits do not help: the slope of a root at 0 is infinite in any precision."),
    ),
    fault="The slope of a square root at 0",
    clue="The loss itself is finite. The gradient is NaN first: in a step in which i and j have an equal place.",
    why="d√x/dx is 1 / (2√x), infinite at 0. An image that is paired with itself has distance 0, and 0 times ∞ is NaN.",
    measure=Measure("test_accuracy", 0.6, "above"),
)  # fmt: skip

CASES = (RATE_TOO_HIGH, SUM_FOR_MEAN, INPUTS_NOT_SCALED, CONSTANT_COLUMN, LOG_OF_ZERO, SQRT_OF_ZERO)
