"""Silent cases whose training looks perfect and whose test does not."""

from __future__ import annotations

from playground.lessons.training_loop.clinic.case import Case, Edit, Measure

GROUP = "Test fails"
BOTH = ("loss", "test_loss")

LABELS_APART = Case(
    "t1", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
order = torch.randperm(1200)
x = x[order]
y = y[torch.randperm(1200)]
model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(300):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

train_accuracy = accuracy(model, x, y)
test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("y = y[torch.randperm(1200)]", "y = y[order]", "Images and labels are shuffled in one order."),
    (
        Edit("model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))",
             "model = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))",
             "A small model cannot learn the labels by heart, and there is nothing else to learn."),
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.01)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=0.01)",
             "Weight decay keeps the model from memorising, but the labels still belong to other images."),
        Edit("for step in range(300):", "for step in range(60):",
             "Stopping early leaves less by heart and teaches nothing else."),
    ),
    fault="Images and labels were shuffled apart",
    clue="The loss falls slowly, to almost 0, while the test stays at chance: there may be nothing to learn "
        "but single images.",
    why="Two calls of randperm give two orders, so each image has a random label. A model with 9,000 numbers can learn "
        "1,200 of them by heart.",
    also=("x = x[order]",),
    measure=Measure("test_accuracy", 0.5, "above"),
)  # fmt: skip

VIEW_FOR_TRANSPOSE = Case(
    "t2", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
x, x_test = x.T.contiguous(), x_test.T.contiguous()  # as in the file: a column per image
x, x_test = x.view(-1, 64), x_test.view(-1, 64)
model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(250):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

train_accuracy = accuracy(model, x, y)
test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("x, x_test = x.view(-1, 64), x_test.view(-1, 64)", "x, x_test = x.T, x_test.T",
         "The transpose gives each image its own 64 pixels back."),
    (
        Edit("x, x_test = x.view(-1, 64), x_test.view(-1, 64)", "x, x_test = x.reshape(-1, 64), x_test.reshape(-1, 64)",
             "reshape reads the numbers in the same order as view."),
        Edit("model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))",
             "model = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))",
             "Less overfitting on rows that are no images."),
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.01)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.001)",
             "Slower steps do not put the pixels back."),
    ),
    fault="view() instead of a transpose",
    clue="The shapes are right. Ask what one row of x holds now.",
    why="view counts the numbers differently and moves none: a row has one pixel of 64 images.",
    measure=Measure("test_accuracy", 0.5, "above"),
)  # fmt: skip

SEED_IN_THE_LOOP = Case(
    "t3", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(250):
    torch.manual_seed(0)
    i = torch.randint(0, 1200, (32,))
    loss = loss_fn(model(x[i]), y[i])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

first_image = i[0].item()
test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("    torch.manual_seed(0)\n    i = torch.randint(0, 1200, (32,))", "    i = torch.randint(0, 1200, (32,))",
         "The seed is set once, before the loop, and each batch is another one."),
    (
        Edit("    torch.manual_seed(0)", "    torch.manual_seed(1)",
             "Another seed draws another batch, again the same in each step."),
        Edit("model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))",
             "model = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))",
             "A smaller model has seen no more images."),
        Edit("for step in range(250):", "for step in range(1000):", "A thousand steps on the same 32 images."),
    ),
    fault="The seed is set inside the loop",
    clue="Step a few times and read beside the line of i what it begins with.",
    why="After the same seed come the same random numbers: each step draws the same 32 of 1,200 images.",
    measure=Measure("test_accuracy", 0.9, "above"),
)  # fmt: skip

ALWAYS_THE_FIRST_BATCH = Case(
    "t4", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
loader = DataLoader(TensorDataset(x, y), batch_size=32)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(250):
    if step % 38 == 0: batches = iter(loader)
    batch_x, batch_y = next(iter(loader))
    loss = loss_fn(model(batch_x), batch_y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("    batch_x, batch_y = next(iter(loader))", "    batch_x, batch_y = next(batches)",
         "The iterator is kept, and each next() takes the following batch."),
    (
        Edit("    if step % 38 == 0: batches = iter(loader)", "    if step % 10 == 0: batches = iter(loader)",
             "That iterator is not the one the batch comes from."),
        Edit("model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))",
             "model = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))",
             "A smaller model has seen no more images."),
        Edit("for step in range(250):", "for step in range(1000):", "A thousand steps on the same 32 images."),
    ),
    fault="next(iter(loader)) always gives the first batch",
    clue="The training loss falls to 0 suspiciously soon. Ask which images the model has seen.",
    why="iter(loader) begins a new pass each time, and next() takes its first batch. Without shuffling it is the same.",
    measure=Measure("test_accuracy", 0.9, "above"),
)  # fmt: skip

TOO_FEW_POINTS = Case(
    "t5", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits(60)
wrong = torch.rand(len(y)) < 0.1  # as in real data
y = torch.where(wrong, torch.randint(0, 10, y.shape), y)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(150):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad(): test_loss = loss_fn(model(x_test), y_test)

test_loss = test_loss.item()
""",
    Edit("x, y, x_test, y_test = digits(60)", "x, y, x_test, y_test = digits(1000)",
         "With 1,000 images the rule is cheaper to learn than each image."),
    (
        Edit("for step in range(150):", "for step in range(600):",
             "The test loss has turned already: more steps make it higher."),
        Edit("model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))",
             "model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))",
             "A larger model learns sixty images by heart even faster."),
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.01)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.03)",
             "It comes to the same place sooner."),
    ),
    fault="Sixty images are too few",
    clue="The test loss turns while the training loss goes to 0.",
    why="Sixty images, six of them with a wrong label, can be learnt by heart. What is learnt so does not "
        "hold for others.",
    curves=BOTH, measure=Measure("test_loss", 0.55),
)  # fmt: skip

TRAIN_FORGOTTEN_WITH_DROPOUT = Case(
    "t6", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits(300)
wrong = torch.rand(len(y)) < 0.2  # as in real data
y = torch.where(wrong, torch.randint(0, 10, y.shape), y)
model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.8), nn.Linear(128, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(250):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    model.eval()
    with torch.no_grad(): test_loss = loss_fn(model(x_test), y_test)

test_loss = test_loss.item()
""",
    Edit("    with torch.no_grad(): test_loss = loss_fn(model(x_test), y_test)",
         "    with torch.no_grad(): test_loss = loss_fn(model(x_test), y_test)\n    model.train()",
         "Dropout works again in every step of the training."),
    (
        Edit("model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.8), nn.Linear(128, 10))",
             "model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.9), nn.Linear(128, 10))",
             "More of a dropout that is switched off."),
        Edit("for step in range(250):", "for step in range(500):", "The test loss only rises further."),
        Edit("    optimizer.step()", "    optimizer.step()\n    model.eval()", "It is called twice now."),
    ),
    fault="train() was forgotten after the test",
    clue="The training loss goes to almost 0 in spite of a dropout of 0.8. Read in which mode the model trains.",
    why="eval() switches dropout off until train() is called: from the second step on, nothing keeps the model from "
        "learning the wrong labels by heart.",
    also=("    model.eval()",), curves=BOTH,
    measure=Measure("test_loss", 0.68),
)  # fmt: skip

TEST_SET_NOT_SCALED = Case(
    "t7", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digit_bytes()
mean, std = x.float().mean(), x.float().std()
x = (x - mean) / std
x_test = x_test.float()
model = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(150):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

train_accuracy = accuracy(model, x, y)
test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("x_test = x_test.float()", "x_test = (x_test.float() - mean) / std",
         "Both sets go through the same numbers, those of the training set."),
    (
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.01)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.003)",
             "The model has learnt well: it is asked about images of another brightness."),
        Edit("for step in range(150):", "for step in range(50):",
             "Stopping early does not change how the test images are scaled."),
        Edit("x_test = x_test.float()", "x_test = x_test.float() - 128", "Still other numbers than those of training."),
    ),
    fault="The test set is scaled in another way",
    clue="Compare the ranges of x and x_test.",
    why="The model has learnt about pixels with mean 0 and standard deviation 1. The test images go from 0 to 255.",
    also=("x = (x - mean) / std",),
    measure=Measure("test_accuracy", 0.96, "above"),
)  # fmt: skip

EVAL_FORGOTTEN_WITH_BATCH_NORM = Case(
    "t8", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
order = y_test.argsort()
x_test, y_test = x_test[order], y_test[order]  # a folder for each digit
model = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(200):
    i = torch.randint(0, 1200, (64,))
    loss = loss_fn(model(x[i]), y[i])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

with torch.no_grad(): answers = [model(batch).argmax(1) for batch in x_test.split(20)]
test_accuracy = (torch.cat(answers) == y_test).float().mean().item()
""",
    Edit("with torch.no_grad(): answers = [model(batch).argmax(1) for batch in x_test.split(20)]",
         "model.eval()\nwith torch.no_grad(): answers = [model(batch).argmax(1) for batch in x_test.split(20)]",
         "Each image is normalised by the averages of the training, whatever images are beside it."),
    (
        Edit("with torch.no_grad(): answers = [model(batch).argmax(1) for batch in x_test.split(20)]",
             "with torch.inference_mode(): answers = [model(batch).argmax(1) for batch in x_test.split(20)]",
             "inference_mode() and no_grad() switch gradients off, not batch normalisation."),
        Edit("for step in range(200):", "for step in range(600):", "The model is good already; the test is not."),
        Edit("optimizer = torch.optim.Adam(model.parameters(), lr=0.01)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=0.001)",
             "It is not overfitting."),
    ),
    fault="eval() was forgotten before the test",
    clue="Twenty test images of one digit are asked about together. Ask what batch normalisation makes of them.",
    why="In train mode batch normalisation uses the mean of the batch. In a batch of one digit, that mean is "
        "the digit: "
        "subtracting it takes away what the answer depends on. In mixed batches of 64 the same mistake hides.",
    also=("test_accuracy = (torch.cat(answers) == y_test).float().mean().item()",),
    measure=Measure("test_accuracy", 0.7, "above"),
)  # fmt: skip

EVAL_FORGOTTEN_WITH_DROPOUT = Case(
    "t9", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits(400)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.7), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(300):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

first_test = accuracy(model, x_test, y_test)
test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("first_test = accuracy(model, x_test, y_test)", "model.eval()\nfirst_test = accuracy(model, x_test, y_test)",
         "In eval mode all units answer."),
    (
        Edit("    loss = loss_fn(model(x), y)", "    model.train()\n    loss = loss_fn(model(x), y)",
             "It was in that mode all the time: that is the fault in the test."),
        Edit("for step in range(300):", "for step in range(900):", "Dropout still takes 70 % of the units at random."),
        Edit("model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.7), nn.Linear(32, 10))",
             "model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.9), nn.Linear(32, 10))",
             "More dropout takes more of the units in the test."),
    ),
    fault="eval() was forgotten before the test",
    clue="Two tests of the same model on the same images differ.",
    why="Dropout is on until eval() is called; torch.no_grad() has nothing to do with it. The test asks a "
        "model without "
        "70 % of its units, another one each time.",
    also=("test_accuracy = accuracy(model, x_test, y_test)",),
    measure=Measure("test_accuracy", 0.85, "above"),
)  # fmt: skip

DROPOUT_ALWAYS_ON = Case(
    "t10", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits(400)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(64, 32), nn.Linear(32, 10)
    def forward(self, x):
        h = torch.relu(self.hidden(x))
        h = nn.functional.dropout(h, 0.7)
        return self.out(h)

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(300):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

model.eval()
first_test = accuracy(model, x_test, y_test)
test_accuracy = accuracy(model, x_test, y_test)
""",
    Edit("        h = nn.functional.dropout(h, 0.7)",
         "        h = nn.functional.dropout(h, 0.7, training=self.training)",
         "The function follows the mode of the model."),
    (
        Edit("first_test = accuracy(model, x_test, y_test)",
             "with torch.no_grad(): first_test = accuracy(model, x_test, y_test)",
             "Gradients have nothing to do with dropout."),
        Edit("model.eval()", "model.train(False)", "The same as eval()."),
        Edit("for step in range(300):", "for step in range(900):",
             "Dropout still takes 70 % of the units in the test."),
    ),
    fault="F.dropout is always on",
    clue="Two tests of the same model on the same images differ, although it is in eval mode.",
    why="nn.Dropout knows the mode of its model; the function nn.functional.dropout has a default, training=True.",
    measure=Measure("test_accuracy", 0.85, "above"),
)  # fmt: skip

CASES = (
    LABELS_APART, VIEW_FOR_TRANSPOSE, SEED_IN_THE_LOOP, ALWAYS_THE_FIRST_BATCH, TOO_FEW_POINTS,
    TRAIN_FORGOTTEN_WITH_DROPOUT, TEST_SET_NOT_SCALED, EVAL_FORGOTTEN_WITH_BATCH_NORM, EVAL_FORGOTTEN_WITH_DROPOUT,
    DROPOUT_ALWAYS_ON,
)  # fmt: skip
