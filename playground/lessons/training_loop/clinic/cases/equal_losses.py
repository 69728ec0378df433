"""Silent cases whose loss is equal to the last digit in every step: no weight moves."""

from __future__ import annotations

from playground.lessons.training_loop.clinic.case import Case, Edit, Measure

GROUP = "Loss does not move"
MSE = Measure("mse", 0.055)

STEP_WITHOUT_BRACKETS = Case(
    "e1", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.MSELoss()

for step in range(200):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step

mse = loss_fn(model(x), y).item()
""",
    Edit("    optimizer.step", "    optimizer.step()", "Now the method is called, and each step moves the weights."),
    (
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=1.0)",
             "A learning rate has no effect while no step is taken."),
        Edit("    optimizer.zero_grad()\n    loss.backward()", "    loss.backward()\n    optimizer.zero_grad()",
             "Nothing moves the weights, and now the gradient is also deleted before the step."),
        Edit("model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))",
             "model = nn.Sequential(nn.Linear(1, 100), nn.ReLU(), nn.Linear(100, 1))",
             "A larger model does not learn either while its weights stay where they began."),
    ),
    fault="The method is named, but not called",
    clue="The loss is equal to the last digit, so no weight has moved, although every gradient is there.",
    why="Without brackets, `optimizer.step` is an expression: Python looks the method up and does nothing with it.",
    measure=MSE,
)  # fmt: skip

ZERO_GRAD_AFTER_BACKWARD = Case(
    "e2", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.MSELoss()

for step in range(200):
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()

mse = loss_fn(model(x), y).item()
""",
    Edit("    loss.backward()\n    optimizer.zero_grad()", "    optimizer.zero_grad()\n    loss.backward()",
         "Old gradients are deleted before backward() computes the new ones, and the step finds them."),
    (
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=1.0)",
             "The learning rate multiplies a gradient that does not exist."),
        Edit("    loss.backward()", "    loss.backward(retain_graph=True)",
             "retain_graph keeps the graph for a second backward(); it does not keep .grad."),
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)",
             "Momentum averages gradients, and here there are none."),
    ),
    fault="zero_grad() stands between backward() and step()",
    clue="The loss is equal to the last digit. Read beside each line whether there is a gradient when step() "
        "is called.",
    why="zero_grad() deletes what backward() has just computed, and step() leaves out parameters without a gradient.",
    measure=MSE,
)  # fmt: skip

NUMPY_ROUND_TRIP = Case(
    "e3", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.MSELoss()

for step in range(200):
    output = model(x)
    error = output.detach().numpy() - y.numpy()
    loss = torch.tensor((error**2).mean(), requires_grad=True)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

mse = loss_fn(model(x), y).item()
""",
    Edit("    error = output.detach().numpy() - y.numpy()\n"
         "    loss = torch.tensor((error**2).mean(), requires_grad=True)",
         "    loss = loss_fn(output, y)",
         "The loss is computed by torch from the output, so backward() finds the way to the weights."),
    (
        Edit("    error = output.detach().numpy() - y.numpy()",
             "    error = output.detach().double().numpy() - y.double().numpy()",
             "More digits do not bring the graph back."),
        Edit("    loss.backward()", "    loss.requires_grad_(True)\n    loss.backward()",
             "requires_grad makes the loss a leaf of its own: backward() then ends at it."),
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=1.0)",
             "No parameter has a gradient, whatever the learning rate is."),
    ),
    fault="The loss was computed by NumPy",
    clue="backward() runs without an error, and yet no parameter has a gradient.",
    why="NumPy has no graph. A new tensor with requires_grad=True is a leaf: its gradient ends there, and "
        "requires_grad only hides the error that torch would have raised.",
    measure=MSE,
)  # fmt: skip

MODEL_MADE_AGAIN = Case(
    "e4", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
loss_fn = nn.MSELoss()

for step in range(200):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

mse = loss_fn(model(x), y).item()
""",
    Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
         "model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))",
         "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
         "The optimizer now has the parameters of the model that is trained."),
    (
        Edit("    optimizer.zero_grad()", "    optimizer.zero_grad()\n    model.train()",
             "The model was in training mode already, and the optimizer still has another model's parameters."),
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.1)",
             "Another optimizer with the same old parameters moves nothing of this model."),
        Edit("    optimizer.zero_grad()", "    model.zero_grad()",
             "The gradients no longer add up, but no optimizer uses them."),
    ),
    fault="The optimizer has the parameters of an earlier model",
    clue="Every parameter has a gradient, and it grows with every step: nobody deletes it and nobody uses it.",
    why="An optimizer keeps the parameters that it was given. A model that is made later, as by a notebook cell that "
        "runs twice, has others.",
    measure=MSE,
)  # fmt: skip

CASES = (STEP_WITHOUT_BRACKETS, ZERO_GRAD_AFTER_BACKWARD, NUMPY_ROUND_TRIP, MODEL_MADE_AGAIN)
