"""Loud cases: the script raises, and the message is that of the torch that runs it."""

from __future__ import annotations

from playground.lessons.training_loop.clinic.case import Case, Edit

GROUP = "Error"

LINEAR_AFTER_CONVOLUTION = Case(
    "l1", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
x = x.reshape(-1, 1, 8, 8)
model = nn.Sequential(
    nn.Conv2d(1, 8, 3), nn.ReLU(),
    nn.MaxPool2d(2), nn.Flatten(),
    nn.Linear(8 * 4 * 4, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for step in range(3):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    Edit("    nn.Linear(8 * 4 * 4, 10))", "    nn.Linear(8 * 3 * 3, 10))",
         "8 pixels, minus 2 for the 3 × 3 kernel, halved: 3 × 3 places in 8 channels."),
    (
        Edit("    nn.Linear(8 * 4 * 4, 10))", "    nn.Linear(8 * 8 * 8, 10))",
             "That is the size of the image before the convolution and the pooling."),
        Edit("x = x.reshape(-1, 1, 8, 8)", "x = x.reshape(-1, 1, 4, 16)",
             "Other images, with another size behind the pooling."),
        Edit("    nn.MaxPool2d(2), nn.Flatten(),", "    nn.Flatten(),",
             "Without pooling there are 8 · 6 · 6 = 288 numbers."),
    ),
    fault="The Linear layer expects another number of inputs",
    clue="Of “mat1 and mat2”, mat1 is what arrives. Work out how many numbers an image has behind Flatten.",
    why="The message shows what arrives, (images, 72), and what the layer was made for, (128, 10).",
)  # fmt: skip

FLOAT_TARGETS = Case(
    "l2", GROUP,
    """\
torch.manual_seed(SEED)
x, y = blobs()
y = y.float()
model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.CrossEntropyLoss()

for step in range(3):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    Edit("y = y.float()", "y = y.long()", "Class numbers are whole numbers: int64."),
    (
        Edit("y = y.float()", "y = y.double()", "Still numbers with a decimal point."),
        Edit("y = y.float()", "y = y.float().unsqueeze(1)",
             "A column of floats: neither class numbers nor a probability for each class."),
        Edit("loss_fn = nn.CrossEntropyLoss()", "loss_fn = nn.NLLLoss()", "NLLLoss expects class numbers, too."),
    ),
    fault="Class numbers are floats",
    clue="The message names the dtype of the targets.",
    why="CrossEntropyLoss takes class numbers as int64, or else a probability for each class, (points, classes).",
    also=("    loss = loss_fn(model(x), y)",),
)  # fmt: skip

COLUMN_TARGETS = Case(
    "l3", GROUP,
    """\
torch.manual_seed(SEED)
x, y = blobs()
y = y.unsqueeze(1)
model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.CrossEntropyLoss()

for step in range(3):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    Edit("y = y.unsqueeze(1)", "y = y.flatten()", "One class number for each point: (200,)."),
    (
        Edit("y = y.unsqueeze(1)", "y = y.unsqueeze(0)", "A row instead of a column."),
        Edit("y = y.unsqueeze(1)", "y = y.unsqueeze(1).int()", "Another dtype of the same shape."),
        Edit("    loss = loss_fn(model(x), y)", "    loss = loss_fn(model(x).unsqueeze(1), y)",
             "Now the outputs have three axes."),
    ),
    fault="Class numbers in a column",
    clue="The message speaks of axes: 0D or 1D is expected. Read the shape of y.",
    why="A target of two axes looks like several labels for each point, which this loss does not support.",
    also=("    loss = loss_fn(model(x), y)",),
)  # fmt: skip

ONE_OUTPUT = Case(
    "l4", GROUP,
    """\
torch.manual_seed(SEED)
x, y = blobs()
model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.CrossEntropyLoss()

for step in range(3):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    Edit("model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 1))",
         "model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 2))", "An output for each class."),
    (
        Edit("model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 1))",
             "model = nn.Sequential(nn.Linear(2, 20), nn.ReLU(), nn.Linear(20, 1))", "More hidden units, "
             "still one output."),
        Edit("x, y = blobs()", "x, y = blobs()\ny = y + 1", "Now class 2 is out of bounds, too."),
        Edit("    loss = loss_fn(model(x), y)", "    loss = loss_fn(model(x), y.float())",
             "Another complaint about the same target."),
    ),
    fault="One output for two classes",
    clue="Classes count from 0. Which target is not below the number of outputs?",
    why="CrossEntropyLoss looks up the output with the number of the class: with one output there is only class 0.",
)  # fmt: skip

LABELS_FROM_ONE = Case(
    "l5", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits()
y = y + 1
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.CrossEntropyLoss()

for step in range(3):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    Edit("y = y + 1", "y = y + 0", "Ten classes have the numbers 0 to 9."),
    (
        Edit("y = y + 1", "y = y - 1", "Class −1 is out of bounds as well."),
        Edit("y = y + 1", "y = (y + 1).float()", "Class numbers have to be whole numbers."),
        Edit("model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))",
             "model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 9))", "One output less is the "
             "wrong way."),
    ),
    fault="Labels from 1 to 10",
    clue="Read the range of y, and count the outputs from 0.",
    why="Outputs are counted from 0, so the last class of ten is 9. With 11 outputs the script would run and "
        "waste one.",
)  # fmt: skip

FLAT_TARGETS = Case(
    "l6", GROUP,
    """\
torch.manual_seed(SEED)
x, y = blobs()
y = y.float()
model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.BCEWithLogitsLoss()

for step in range(3):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    Edit("y = y.float()", "y = y.float().unsqueeze(1)", "Output and target have the same shape, (200, 1)."),
    (
        Edit("y = y.float()", "y = y.float().unsqueeze(0)", "(1, 200) is not (200, 1)."),
        Edit("y = y.float()", "y = y.unsqueeze(1)", "The shape is right, but this loss takes no whole numbers."),
        Edit("loss_fn = nn.BCEWithLogitsLoss()", "loss_fn = nn.BCELoss()", "It has the same wish for equal shapes."),
    ),
    fault="A target of shape (200,) against an output of shape (200, 1)",
    clue="The message names both shapes.",
    why="BCEWithLogitsLoss refuses what MSELoss only warns of: it does not broadcast.",
    also=("    loss = loss_fn(model(x), y)",),
)  # fmt: skip

DOUBLE_FROM_NUMPY = Case(
    "l7", GROUP,
    """\
torch.manual_seed(SEED)
table = np.linspace(-1, 1, 100).reshape(100, 1)
x, y = torch.from_numpy(table), torch.from_numpy(table**2)
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.MSELoss()

for step in range(3):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    Edit("x, y = torch.from_numpy(table), torch.from_numpy(table**2)",
         "x, y = torch.from_numpy(table).float(), torch.from_numpy(table**2).float()",
         "Data and weights are float32."),
    (
        Edit("x, y = torch.from_numpy(table), torch.from_numpy(table**2)",
             "x, y = torch.tensor(table), torch.tensor(table**2)", "torch.tensor keeps NumPy's float64, too."),
        Edit("x, y = torch.from_numpy(table), torch.from_numpy(table**2)",
             "x, y = torch.from_numpy(table), torch.from_numpy(table**2).float()", "x is float64 still."),
        Edit("x, y = torch.from_numpy(table), torch.from_numpy(table**2)",
             "x, y = torch.from_numpy(table).int(), torch.from_numpy(table**2).int()", "Whole numbers are no "
             "float32 either."),
    ),
    fault="float64 from NumPy",
    clue="The message calls float64 Double. Read the dtype of x.",
    why="NumPy's numbers are float64, torch's layers are float32, and a matrix product takes one dtype.",
    also=("table = np.linspace(-1, 1, 100).reshape(100, 1)", "    loss = loss_fn(model(x), y)"),
)  # fmt: skip

BYTES = Case(
    "l8", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digit_bytes()
x = x.reshape(-1, 64)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.CrossEntropyLoss()

for step in range(3):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    Edit("x = x.reshape(-1, 64)", "x = x.reshape(-1, 64) / 255", "Dividing makes float32 of bytes, from 0 to 1."),
    (
        Edit("x = x.reshape(-1, 64)", "x = x.reshape(-1, 64).long()", "Whole numbers of another size."),
        Edit("x = x.reshape(-1, 64)", "x = x.reshape(-1, 64).double()", "float64 is not float32 either."),
        Edit("    loss = loss_fn(model(x), y)", "    loss = loss_fn(model(x), y.float())", "The targets were right."),
    ),
    fault="Images as bytes",
    clue="The message calls uint8 Byte. Read the dtype of x.",
    why="A layer multiplies float32 with float32. Images come as bytes and have to be converted.",
    also=("    loss = loss_fn(model(x), y)", "x, y, x_test, y_test = digit_bytes()"),
)  # fmt: skip

ANOTHER_DEVICE = Case(
    "l9", GROUP,
    """\
torch.manual_seed(SEED)
x, y = blobs()
model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 2))
model = model.to("meta")  # stands for a GPU here
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.CrossEntropyLoss()

for step in range(3):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    Edit('model = model.to("meta")  # stands for a GPU here', 'model = model.to("cpu")  # where the data is',
         "Model and data are on one device."),
    (
        Edit("    loss = loss_fn(model(x), y)", '    loss = loss_fn(model(x.to("cpu")), y)',
             "x was on the CPU already."),
        Edit("    loss = loss_fn(model(x), y)", "    loss = loss_fn(model(x.double()), y)",
             "The dtype is not what differs."),
        Edit("loss_fn = nn.CrossEntropyLoss()", 'loss_fn = nn.CrossEntropyLoss().to("cpu")',
             "A loss function without weights is on no device."),
    ),
    fault="The model is on another device than the data",
    clue="The message names two devices.",
    why="Every tensor of an operation has to be on one device: move the model once, and each batch. A GPU's "
        "message has "
        "other words for the same.",
    also=("    loss = loss_fn(model(x), y)",),
)  # fmt: skip

UNEQUAL_ITEMS = Case(
    "l10", GROUP,
    """\
torch.manual_seed(SEED)
items = [(torch.randn(3 + n % 2), n % 2) for n in range(20)]
loader = DataLoader(items, batch_size=4)
model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(1):
    for batch_x, batch_y in loader:
        loss = loss_fn(model(batch_x), batch_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
""",
    Edit("items = [(torch.randn(3 + n % 2), n % 2) for n in range(20)]",
         "items = [(torch.randn(4), n % 2) for n in range(20)]", "All items have one size, so they fit into "
         "one tensor."),
    (
        Edit("loader = DataLoader(items, batch_size=4)", "loader = DataLoader(items, batch_size=2)",
             "Two items of unequal size do not fit either."),
        Edit("model = nn.Linear(4, 2)", "model = nn.LazyLinear(2)", "The error comes before the model gets anything."),
        Edit("loader = DataLoader(items, batch_size=4)", "loader = DataLoader(items, batch_size=4, drop_last=True)",
             "The first batch fails, not the last."),
    ),
    fault="Items of unequal size in one batch",
    clue="The message counts entries of a batch, with their sizes.",
    why="A batch is one tensor: the DataLoader stacks its items, and they must have equal shapes.",
    also=("loader = DataLoader(items, batch_size=4)",),
)  # fmt: skip

IN_PLACE_ON_A_LEAF = Case(
    "l11", GROUP,
    """\
torch.manual_seed(SEED)
x = torch.linspace(-1, 1, 100)
y = 3 * x
w = torch.zeros(1, requires_grad=True)

for step in range(3):
    loss = ((w * x - y) ** 2).mean()
    w.grad = None
    loss.backward()
    w -= 0.5 * w.grad
""",
    Edit("    w -= 0.5 * w.grad", "    with torch.no_grad(): w -= 0.5 * w.grad",
         "As an optimizer does it: not part of the graph."),
    (
        Edit("    w -= 0.5 * w.grad", "    w = w - 0.5 * w.grad",
             "A new tensor, which is no leaf: the next step finds no gradient in it."),
        Edit("    w.grad = None", "    w.grad.zero_()", "In the first step there is no gradient to set to 0."),
        Edit("    w -= 0.5 * w.grad", "    w -= (0.5 * w.grad).detach()",
             "What is subtracted may be detached; w is still a leaf that is changed."),
    ),
    fault="A weight is changed in place while the graph is recorded",
    clue="A leaf is a tensor that you made with requires_grad=True. Which line changes it?",
    why="The graph would have to know w before and after. Updates belong under torch.no_grad().",
)  # fmt: skip

SECOND_BACKWARD = Case(
    "l12", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.MSELoss()

output = model(x)
for step in range(3):
    loss = loss_fn(output, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    Edit("output = model(x)\nfor step in range(3):", "for step in range(3):\n    output = model(x)",
         "Each step has a forward pass of its own, with the current weights."),
    (
        Edit("    loss.backward()", "    loss.backward(retain_graph=True)",
             "The graph is kept, but the step has changed weights that it needs."),
        Edit("    optimizer.zero_grad()", "    model.zero_grad()", "Deleting gradients does not make a new graph."),
        Edit("    loss = loss_fn(output, y)", "    loss = loss_fn(output.clone(), y)",
             "A clone is part of the same graph."),
    ),
    fault="The forward pass stands before the loop",
    clue="The first step works. What does the second one use again?",
    why="backward() frees the graph of the forward pass. The advice in the message, retain_graph=True, does not help "
        "here: the output is old.",
)  # fmt: skip

NO_GRAD_IN_TRAINING = Case(
    "l13", GROUP,
    """\
torch.manual_seed(SEED)
x, y = blobs()
model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.CrossEntropyLoss()

for step in range(3):
    with torch.no_grad(): output = model(x)
    loss = loss_fn(output, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    Edit("    with torch.no_grad(): output = model(x)", "    output = model(x)",
         "The forward pass is recorded, and backward() finds it."),
    (
        Edit("    with torch.no_grad(): output = model(x)", "    model.train(); output = model(x).detach()",
             "detach() cuts the graph as well."),
        Edit("    optimizer.zero_grad()", "    model.requires_grad_(True)",
             "The parameters require a gradient already."),
        Edit("    loss = loss_fn(output, y)", "    with torch.enable_grad(): loss = loss_fn(output, y)",
             "Too late: the output has no graph."),
    ),
    fault="torch.no_grad() around the training",
    clue="“Does not have a grad_fn” means: no graph was recorded. Where is it switched off?",
    why="no_grad() is for tests and for updates: nothing inside it is recorded.",
)  # fmt: skip

LAST_BATCH_OF_ONE = Case(
    "l14", GROUP,
    """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits(129)
loader = DataLoader(TensorDataset(x, y), batch_size=32)
model = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(1):
    for batch_x, batch_y in loader:
        loss = loss_fn(model(batch_x), batch_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
""",
    Edit("loader = DataLoader(TensorDataset(x, y), batch_size=32)",
         "loader = DataLoader(TensorDataset(x, y), batch_size=32, drop_last=True)", "The last batch, of one "
         "image, is left out."),
    (
        Edit("loader = DataLoader(TensorDataset(x, y), batch_size=32)",
             "loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)", "129 = 4 · 32 + 1 in any order."),
        Edit("        loss = loss_fn(model(batch_x), batch_y)",
             "        model.train(); loss = loss_fn(model(batch_x), batch_y)", "It is in train mode: that is "
             "where one image is too few."),
        Edit("loader = DataLoader(TensorDataset(x, y), batch_size=32)",
             "loader = DataLoader(TensorDataset(x, y), batch_size=64)", "129 = 2 · 64 + 1, too."),
    ),
    fault="The last batch has one image, and batch normalisation needs two",
    clue="Several batches work. How many images are left for the last one?",
    why="A variance over one value does not exist. 129 images in batches of 32 leave a last batch of one.",
    also=("x, y, x_test, y_test = digits(129)",
          "model = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))"),
)  # fmt: skip

ALL_LAYERS_IN_A_LIST = Case(
    "l15", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1)]
    def forward(self, x):
        for layer in self.layers: x = layer(x)
        return x

model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.MSELoss()

for step in range(3):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    Edit("        self.layers = [nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1)]",
         "        self.layers = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))",
         "nn.Sequential is a module, so its parameters are found."),
    (
        Edit("        self.layers = [nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1)]",
             "        self.layers = (nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))", "A tuple is as "
             "invisible as a list."),
        Edit("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
             "optimizer = torch.optim.Adam(model.parameters(), lr=0.1)", "Another optimizer, the same empty list."),
        Edit("model = Net()", "model = Net().requires_grad_(True)",
             "There is no parameter that could require a gradient."),
    ),
    fault="The layers are in a Python list",
    clue="The optimizer was given no parameter. Where does the model keep its layers?",
    why="nn.Module registers modules that are attributes or in its own containers, not those in a plain list.",
    also=("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",),
)  # fmt: skip

MODEL_IN_A_FILE = Case(
    "l16", GROUP,
    """\
torch.manual_seed(SEED)
x, y = parabola()
model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))

file = io.BytesIO()
torch.save(model, file)
file.seek(0)
model.load_state_dict(torch.load(file))
output = model(x)
""",
    Edit("torch.save(model, file)", "torch.save(model.state_dict(), file)",
         "The file has tensors and their names alone."),
    (
        Edit("model.load_state_dict(torch.load(file))", "model.load_state_dict(torch.load(file, map_location=\"cpu\"))",
             "Where tensors go is not the question."),
        Edit("model.load_state_dict(torch.load(file))", "model.load_state_dict(torch.load(file), strict=False)",
             "The file is refused before any name is compared."),
        Edit("model.load_state_dict(torch.load(file))", "model.load_state_dict(torch.load(file, weights_only=True))",
             "That is the default already, and the reason for the refusal."),
    ),
    fault="The whole model was saved instead of its weights",
    clue="The message says “Weights only”. What else is in the file?",
    why="Since version 2.6 torch.load reads tensors alone, because a file with a whole model can run any "
        "code. Save the "
        "state_dict.",
    also=("model.load_state_dict(torch.load(file))",),
)  # fmt: skip

CASES = (
    LINEAR_AFTER_CONVOLUTION, FLOAT_TARGETS, COLUMN_TARGETS, ONE_OUTPUT, LABELS_FROM_ONE, FLAT_TARGETS,
    DOUBLE_FROM_NUMPY, BYTES, ANOTHER_DEVICE, UNEQUAL_ITEMS, IN_PLACE_ON_A_LEAF, SECOND_BACKWARD, NO_GRAD_IN_TRAINING,
    LAST_BATCH_OF_ONE, ALL_LAYERS_IN_A_LIST, MODEL_IN_A_FILE,
)  # fmt: skip
