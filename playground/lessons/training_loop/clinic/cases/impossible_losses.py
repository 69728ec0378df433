"""Silent cases whose loss has values that the right loss could not have."""

from __future__ import annotations

from playground.lessons.training_loop.clinic.case import Case, Edit, Measure

GROUP = "Impossible loss"

NLL_OF_LOGITS = Case(
    "i1", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.NLLLoss()

for epoch in range(5):
    for batch_x, batch_y in loader:
        loss = loss_fn(model(batch_x), batch_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("loss_fn = nn.NLLLoss()", "loss_fn = nn.CrossEntropyLoss()",
         "CrossEntropyLoss takes logits: it makes log-probabilities of them first."),
    (
        Edit("        loss = loss_fn(model(batch_x), batch_y)", "        loss = -loss_fn(model(batch_x), batch_y)",
             "With the other sign the model learns to be wrong, and the loss falls as far."),
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.01)",
             "The loss falls below 0 more slowly."),
        Edit("        loss = loss_fn(model(batch_x), batch_y)",
             "        loss = loss_fn(model(batch_x), batch_y).abs()",
             "A loss that may not fall below 0 stops at 0, and the model has learnt nothing."),
    ),
    fault="NLLLoss gets logits",
    clue="The loss is far below 0. A negative log-likelihood of probabilities cannot be.",
    why="NLLLoss expects log-probabilities and returns minus the one of the label. Logits have no limit, so the "
        "cheapest way to lower it is to make all outputs large.",
    also=("        loss = loss_fn(model(batch_x), batch_y)",),
    measure=Measure("test_accuracy", 0.5, "above"), log=False,
)  # fmt: skip

SOFTMAX_TWICE = Case(
    "i2", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10), nn.Softmax(dim=1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(10):
    for batch_x, batch_y in loader:
        loss = loss_fn(model(batch_x), batch_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

train_loss = loss_fn(model(x), y).item()
test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10), nn.Softmax(dim=1))",
         "model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))",
         "The loss gets logits and makes probabilities of them once."),
    (
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=1.0)",
             "It learns faster, but the loss has a floor at 1.461."),
        Edit("model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10), nn.Softmax(dim=1))",
             "model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10), nn.Softmax(dim=1))",
             "A larger model has the same floor."),
        Edit("model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10), nn.Softmax(dim=1))",
             "model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10), nn.Sigmoid())",
             "A sigmoid also keeps the outputs between 0 and 1."),
    ),
    fault="Softmax before CrossEntropyLoss",
    clue="However long it trains, the loss does not fall below 1.461. Ask which outputs could make it smaller.",
    why="CrossEntropyLoss has a softmax of its own. Of probabilities between 0 and 1 the surest answer still has a "
        "loss of ln(1 + 9/e) = 1.461, and the gradient fades long before.",
    also=("loss_fn = nn.CrossEntropyLoss()",),
    measure=Measure("train_loss", 1.0), log=False,
)  # fmt: skip

SIGMOID_TWICE = Case(
    "i3", GROUP,
    """\
torch.manual_seed(SEED)
x, y = moons()
y = y.float().unsqueeze(1)
model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
loss_fn = nn.BCEWithLogitsLoss()

for step in range(400):
    output = model(x)
    loss = loss_fn(output, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

train_loss = loss_fn(model(x), y).item()
""",
    Edit("model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())",
         "model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))",
         "The loss gets logits and applies the sigmoid once."),
    (
        Edit("for step in range(400):", "for step in range(1200):", "The loss has a floor at 0.503."),
        Edit("x, y = moons()", "x, y = moons(1000)", "More points have the same floor."),
        Edit("model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())",
             "model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1), nn.Tanh())",
             "A tanh gives outputs from −1 to 1, which allow a lower loss, but still no small one."),
    ),
    fault="Sigmoid before BCEWithLogitsLoss",
    clue="The loss stays above 0.503, although most points are on the right side.",
    why="BCEWithLogitsLoss has a sigmoid of its own. An output between 0 and 1 is a logit near 0 to it: a class 0 "
        "point never gets better than ln 2.",
    also=("loss_fn = nn.BCEWithLogitsLoss()",),
    measure=Measure("train_loss", 0.28), log=False,
)  # fmt: skip

SOFTMAX_OVER_THE_BATCH = Case(
    "i4", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.NLLLoss()

for epoch in range(8):
    for batch_x, batch_y in loader:
        log_p = torch.log_softmax(model(batch_x), dim=0)
        loss = loss_fn(log_p, batch_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("        log_p = torch.log_softmax(model(batch_x), dim=0)",
         "        log_p = torch.log_softmax(model(batch_x), dim=1)",
         "The ten probabilities of each image sum to 1."),
    (
        Edit("loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)",
             "loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)",
             "A larger batch only moves the loss of a guess from ln 32 to ln 64."),
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.05)",
             "The direction of the steps is wrong, not their length."),
        Edit("        log_p = torch.log_softmax(model(batch_x), dim=0)",
             "        log_p = torch.softmax(model(batch_x), dim=0).log()",
             "The same numbers, computed in two steps."),
    ),
    fault="Softmax over the batch instead of the classes",
    clue="The first loss is ln 32 = 3.47, not ln 10 = 2.30. Ask of what there are 32.",
    why="dim=0 makes the 32 images of a batch compete for each class, instead of the classes of each image.",
    measure=Measure("test_accuracy", 0.85, "above"), log=False,
)  # fmt: skip

CASES = (NLL_OF_LOGITS, SOFTMAX_TWICE, SIGMOID_TWICE, SOFTMAX_OVER_THE_BATCH)
