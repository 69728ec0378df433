"""Silent cases whose curve looks right: only a second look finds them."""

from __future__ import annotations

from playground.lessons.training_loop.clinic.case import Case, Edit, Measure

GROUP = "Second look"

BEST_STATE_NOT_COPIED = Case(
    "s1", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits(150)
wrong = torch.rand(len(y)) < 0.2  # as in real data
y = torch.where(wrong, torch.randint(0, 10, y.shape), y)
model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()
best = float("inf")

for step in range(200):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad(): validation_loss = loss_fn(model(x_test[:200]), y_test[:200])
    if validation_loss < best: best, best_state = validation_loss, model.state_dict()

model.load_state_dict(best_state)
test_loss = loss_fn(model(x_test[200:]), y_test[200:]).item()
""",
    Edit("    if validation_loss < best: best, best_state = validation_loss, model.state_dict()",
         "    if validation_loss < best: best, best_state = validation_loss, copy.deepcopy(model.state_dict())",
         "A copy keeps the weights of that step."),
    (
        Edit("model.load_state_dict(best_state)", "model.load_state_dict(best_state, strict=False)",
             "Nothing was missing in the state: it has the wrong numbers."),
        Edit("    if validation_loss < best: best, best_state = validation_loss, model.state_dict()",
             "    if validation_loss < best: best, best_state = validation_loss, dict(model.state_dict())",
             "A new dictionary with the same tensors in it."),
        Edit("for step in range(200):", "for step in range(400):",
             "The kept model is always the last one, and that is worse after more steps."),
    ),
    fault="The best state was kept without a copy",
    clue="Compare the best validation loss with the test loss of the model that was kept.",
    why="state_dict() holds the model's own tensors, not copies: the next step writes into them, and what was kept is "
        "the last state.",
    also=("model.load_state_dict(best_state)",), curves=("loss", "validation_loss"),
    measure=Measure("test_loss", 1.0),
)  # fmt: skip

TEST_SET_IN_TRAINING = Case(
    "s2", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_new, y_new = digits(600)
wrong = torch.rand(600) < 0.3  # three of ten labels are wrong
y = torch.where(wrong, torch.randint(0, 10, (600,)), y)
x_train, y_train = x, y
x_test, y_test = x[300:], y[300:]
model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(250):
    loss = loss_fn(model(x_train), y_train)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("x_train, y_train = x, y", "x_train, y_train = x[:300], y[:300]",
         "The test images are now images that the model has never met."),
    (
        Edit("x_test, y_test = x[300:], y[300:]", "x_test, y_test = x[500:], y[500:]",
             "Fewer test images, all of them still in the training set."),
        Edit("wrong = torch.rand(600) < 0.3  # three of ten labels are wrong",
             "wrong = torch.rand(600) < 0.1  # one of ten labels is wrong",
             "Cleaner data makes the test no more honest."),
        Edit("for step in range(250):", "for step in range(500):", "It learns the test set by heart even better."),
    ),
    fault="The test set is part of the training set",
    clue="Three of ten test labels are wrong, and the model knows them all.",
    why="On labels that were drawn at random nobody can be right 100 % of the time, unless they were learnt by heart.",
    also=("x_test, y_test = x[300:], y[300:]",),
    measure=Measure("test_accuracy", 0.85),
)  # fmt: skip

RARE_CLASS = Case(
    "s3", GROUP,
    """\
torch.manual_seed(SEED)
common, rare = torch.randn(950, 2), torch.randn(50, 2) + 1.5
x = torch.cat([common, rare])
y = torch.cat([torch.zeros(950), torch.ones(50)]).long()
model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.CrossEntropyLoss()

for step in range(200):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

train_accuracy = accuracy(model, x, y)
found = accuracy(model, rare, y[950:])
""",
    Edit("loss_fn = nn.CrossEntropyLoss()", "loss_fn = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 19.0]))",
         "A rare point weighs as much as 19 common ones, so both classes count alike."),
    (
        Edit("for step in range(200):", "for step in range(400):",
             "More steps of a loss that hardly asks for the rare class."),
        Edit("model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 2))",
             "model = nn.Sequential(nn.Linear(2, 50), nn.ReLU(), nn.Linear(50, 2))",
             "The model is large enough: it is asked for the wrong thing."),
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.SGD(model.parameters(), lr=0.05)", "Another rate for the same goal."),
    ),
    fault="Accuracy hides that the rare class is not found",
    clue="An accuracy of 95 % is what “always class 0” has, too. Read how many of the rare points are found.",
    why="950 of 1,000 points are of class 0. Where the clouds overlap, answering 0 is right most of the time, and the "
        "50 others are missed.",
    also=("train_accuracy = accuracy(model, x, y)",),
    measure=Measure("found", 0.6, "above"),
)  # fmt: skip

RESUMED_WITHOUT_OPTIMIZER = Case(
    "s4", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()
spike = 0.0

for step in range(400):
    if step == 300:  # stopped here, and resumed from a file
        saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        model.load_state_dict(saved["model"])
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step == 299: before = loss.item()
    if step > 300: spike = max(spike, loss.item() / before)
""",
    Edit("        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)",
         "        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)\n"
         '        optimizer.load_state_dict(saved["optimizer"])',
         "Adam continues with the averages that it had."),
    (
        Edit('        model.load_state_dict(saved["model"])',
             '        model.load_state_dict(copy.deepcopy(saved["model"]))',
             "The weights were restored already."),
        Edit("model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))",
             "model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))",
             "The spike comes from the optimizer, not from the model."),
        Edit("    if step == 300:  # stopped here, and resumed from a file",
             "    if step == 300:  # stopped here, and resumed from a file\n        torch.manual_seed(0)",
             "No random number is used in these steps."),
    ),
    fault="Resumed without the state of the optimizer",
    clue="Look at step 300: the loss leaps, although the weights are the same.",
    why="A new Adam divides by averages of one gradient: its first steps are as long as at the start of a training, "
        "about 0.01 for every weight.",
    also=('        saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}',
          "    if step == 300:  # stopped here, and resumed from a file",
          '        model.load_state_dict(saved["model"])'),
    measure=Measure("spike", 1.08),
)  # fmt: skip

BEST_OF_NINE = Case(
    "s5", GROUP,
    """\
torch.manual_seed(SEED)
def coins(n): return torch.randn(n, 8), torch.randint(0, 2, (n,))  # nothing to learn
def train():
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(4):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad(); loss.backward(); optimizer.step()
    return model

reported = 0.0
for step in range(30):  # thirty students
    (x, y), validation, test = coins(40), coins(40), coins(40)
    models = [train() for _ in range(9)]
    best = max(models, key=lambda model: accuracy(model, *test))
    reported += accuracy(best, *test) / 30
""",
    Edit("    best = max(models, key=lambda model: accuracy(model, *test))",
         "    best = max(models, key=lambda model: accuracy(model, *validation))",
         "The test set decides nothing, so its number is honest: chance."),
    (
        Edit("    models = [train() for _ in range(9)]", "    models = [train() for _ in range(18)]",
             "With more models to choose from, the best one is luckier still."),
        Edit("    (x, y), validation, test = coins(40), coins(40), coins(40)",
             "    (x, y), validation, test = coins(80), coins(40), coins(40)",
             "More training data about coins teaches nothing."),
        Edit("    for _ in range(4):", "    for _ in range(8):", "There is nothing to learn, in any number of steps."),
    ),
    fault="The best of nine models was chosen by its test accuracy",
    clue="The labels are coin flips, and the reported accuracy is above 50 %.",
    why="The best of nine lucky numbers is a lucky number. Whatever chooses the model must not be what reports it.",
    also=("    reported += accuracy(best, *test) / 30",), curves=("reported",),
    measure=Measure("reported", 0.54), log=False,
)  # fmt: skip

STRICT_FALSE = Case(
    "s6", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
def make(): return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
model = make()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(150):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

saved = {f"module.{name}": each for name, each in model.state_dict().items()}  # as by DataParallel
loaded = make()
answer = loaded.load_state_dict(saved, strict=False)
missing = len(answer.missing_keys)
test_accuracy = accuracy(loaded, x_test, y_test)
""",
    Edit("answer = loaded.load_state_dict(saved, strict=False)",
         'answer = loaded.load_state_dict({name.removeprefix("module."): each for name, each in saved.items()})',
         "The names fit, and strict loading would have said so if they did not."),
    (
        Edit("answer = loaded.load_state_dict(saved, strict=False)",
             "answer = loaded.load_state_dict(copy.deepcopy(saved), strict=False)",
             "Copies with the same wrong names."),
        Edit("loaded = make()", "loaded = make().eval()",
             "This model has no layer that behaves differently in eval mode."),
        Edit("for step in range(150):", "for step in range(450):",
             "The model that is tested is not the one that was trained."),
    ),
    fault="strict=False hides that no name fits",
    clue="Read how many keys are missing.",
    why="strict=False leaves out every name that does not fit. Here that is all of them: the loaded model has random "
        "weights.",
    also=("saved = {f\"module.{name}\": each for name, each in model.state_dict().items()}  # as by DataParallel",),
    measure=Measure("test_accuracy", 0.5, "above"),
)  # fmt: skip

TURNED_DIGITS = Case(
    "s7", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits(600)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(250):
    turned = x.flip(1)  # each image upside down
    chosen = torch.where(torch.rand(600, 1) < 0.5, turned, x)  # more data
    loss = loss_fn(model(chosen), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

six_or_nine = (y_test == 6) | (y_test == 9)
test_accuracy = accuracy(model, x_test, y_test)
right = accuracy(model, x_test[six_or_nine], y_test[six_or_nine])
""",
    Edit("    loss = loss_fn(model(chosen), y)", "    loss = loss_fn(model(x), y)",
         "The images stay as people write them."),
    (
        Edit("    chosen = torch.where(torch.rand(600, 1) < 0.5, turned, x)  # more data",
             "    chosen = torch.where(torch.rand(600, 1) < 0.5, x, turned)  # more data",
             "Half of the images are turned either way."),
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.01)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.003)",
             "Slower steps to the same contradiction."),
        Edit("model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))",
             "model = nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10))",
             "A smaller model confuses 6 and 9 as well."),
    ),
    fault="Turning digits upside down changes what they are",
    clue="The accuracy is good. Look at the digits 6 and 9 alone.",
    why="A 6 that is turned is a 9. Augmentation may only change what does not change the label.",
    also=("    turned = x.flip(1)  # each image upside down",
          "    chosen = torch.where(torch.rand(600, 1) < 0.5, turned, x)  # more data"),
    measure=Measure("right", 0.952, "above"),
)  # fmt: skip

GRAPHS_KEPT = Case(
    "s8", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
model = nn.Sequential(nn.Linear(64, 128), nn.Tanh(), nn.Linear(128, 10))
loss_fn = nn.CrossEntropyLoss()
total = 0.0

for step in range(60):  # a test, batch by batch
    i = torch.randint(0, 1200, (400,))
    loss = loss_fn(model(x[i]), y[i])
    total += loss
    megabytes = graph_megabytes(total)  # kept for a backward pass

mean_loss = total / 60
""",
    Edit("    total += loss", "    total += loss.item()",
         "item() gives a plain number. Nothing leads back to the graph, so each batch is freed."),
    (
        Edit("    total += loss", "    total = total + loss",
             "The sum has the same graph behind it, batch after batch."),
        Edit("    i = torch.randint(0, 1200, (400,))", "    i = torch.randint(0, 1200, (100,))",
             "Smaller batches keep less each, and the memory grows all the same."),
        Edit("total = 0.0", "model.eval()\ntotal = 0.0",
             "eval() is about dropout and batch norm. The graph is recorded as before."),
    ),
    fault="The sum of the losses keeps every graph",
    clue="The numbers are right. Read beside the last line of the loop how much memory they take.",
    why="A loss knows how it was computed. A sum of losses holds the graphs of all batches with their tensors, because "
        "no backward() frees them.",
    also=("    loss = loss_fn(model(x[i]), y[i])",),
    measure=Measure("megabytes", 1.0), log=False,
)  # fmt: skip

CASES = (
    BEST_STATE_NOT_COPIED, TEST_SET_IN_TRAINING, RARE_CLASS, TURNED_DIGITS, RESUMED_WITHOUT_OPTIMIZER, BEST_OF_NINE,
    STRICT_FALSE, GRAPHS_KEPT,
)  # fmt: skip
