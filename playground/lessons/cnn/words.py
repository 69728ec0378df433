"""Every sentence of this lesson that a visitor reads on its charts, above them and in refusals; {fields} are filled in.

Labels and help of the settings are in config.py, titles of the charts in lesson.py, the text below them in prose.md.
"""

from __future__ import annotations

from playground.lessons.doctor.words import SENTENCES as DOCTOR

A_DIGIT = ("a 0", "a 1", "a 2", "a 3", "a 4", "a 5", "a 6", "a 7", "an 8", "a 9")

# By the names of the narrator's rules; "since" names the last change.
NARRATOR = {
    "failed": "The loss is no longer finite (NaN): the steps were too large.",
    "failed since": "{since}: the loss grew until it was not finite (NaN).",
    "own": "It reads your digit as {a_predicted} ({percent} % sure).",
    "testing": "The last epoch is over. All {images:,} test images are being tested.",
    "train mode": "Tested in train mode: {test_percent} % of the test images are right.",
    "sorted": "{test_percent} % of the test images are right: the training images came sorted by digit.",
    "overfitted": "Learned by heart: {train_percent} % of the last training images are right, {test_percent} % of all "
                  "test images.",
    "tested": "Tested on all {images:,} test images: {right:,} are right ({test_percent} %).",
    "untrained": "Nothing is learned yet: it reads this {digit} as {a_predicted}, but is only {percent} % sure.",
    "unstepped": "{since}: no step yet. Press Play to see what it does.",
    "blank": "All {maps} maps of layer {layer} are blank: dead units output 0 and get no gradient.",
    "blank since": "{since}: all {maps} maps of layer {layer} are blank (dead units).",
    "dies backwards": DOCTOR["dies backwards"],
    "guessing": "The loss stays at {loss}: guessing among ten digits has {guessing}.",
    "guessing since": "{since}: the loss is {loss}, no better than guessing ({guessing}).",
    "rising": "{since}: the training loss rose from {first} to {loss}.",
    "right": "It reads this {digit} as {a_predicted} (correct, {percent} % sure).",
    "wrong": "It reads this {digit} as {a_predicted} (wrong, {percent} % sure).",
}  # fmt: skip
ADVICE = {
    "": "",
    "lower, reset": "Lower the learning rate, then press Reset.",
    "higher": "Try a higher learning rate.",
    "reset": "Press Reset and change another setting.",
    "lower or undo": "Lower the learning rate or undo this change.",
    "undo": "Undo this change.",
    "relu": "Choose ReLU or batch norm, or take layers away.",
    "images": "Use more images, or shift and rotate them.",
    "eval": "Set “Mode in tests” to model.eval().",
    "shuffle": "Shuffle them, then press Play.",
    "augmentation": "Shift and rotate the training images.",
}

# Training.

LOSS = "Loss"
ACCURACY = "Accuracy"
TRAIN = "Train"
TEST_SAMPLE = "Test, sample"
ALL_TEST_IMAGES = "All test images"
ALL_TEST_IMAGES_HOVER = "all test images: %{customdata:.2f} % at step %{x}"
PARAMETERS = "Parameters"
PARAMETERS_TOTAL = "Parameters, {total:,} in all"
PARAMETERS_OF = "{layer}: {count:,} = {sum}"

# Ticks of an axis of shares whose title has the unit.
PERCENT_TICKS = {
    "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1],
    "ticktext": ["0", "20", "40", "60", "80", "100"],
}

# Columns of CSV files that no axis names.
ACCURACY_OF = "{name}: accuracy (%)"
DIGIT = "Digit"
LOGIT = "Logit"
LAYER = "Layer"
CALCULATION = "Calculation"
TEST_IMAGES = "Test images"
TESTED_IMAGES = ("Test image", "True digit", "Predicted digit", "Probability of the predicted digit",
                 "Probability of the true digit")  # fmt: skip

# Anatomy.

OWN_IMAGE = "Your digit"
IMAGE_NUMBER = "Image {number:,}"
ANSWER = "Answer"
FILTERS_ALL = "Filters: {count}"
FILTERS_SHOWN = "{shown} of {count} filters"
MAPS_OF_LAYER = "Maps of layer {layer}"
MAP_TO_CLICK = "{name}, map {map} of layer {layer}, {side} × {side}<br>Click to choose it for Anatomy"
DIGIT_PROBABILITY = "{digit}: {percent:.1f} %"
READING_OWN = "{title}. Prediction: {predicted} ({percent:.1f} %)."
READING_RIGHT = "{title}, a {digit}. Prediction: {predicted} ({percent:.1f} %), correct."
READING_WRONG = "{title}, a {digit}. Prediction: {predicted} ({percent:.1f} %), wrong."
TEST_IMAGE = "Test image {number:,}: {a_digit}"
DIGIT_HOVER = "digit %{x}: %{y:.3f}"
FILTERS = "Filters"
FILTER_HOVER = "Filter {map} of layer {layer}, {side} × {side}"
GRADIENTS = "Gradients"
GRADIENT_HOVER = "Gradient of filter {map} of layer {layer}, {side} × {side}"
CONVOLUTION = "Convolution {layer}"
BATCH_NORM = "Batch norm"
ROW_LABELS = {"convolution": "Conv {layer}", "batch norm": "Norm", "pooling": "Pooling"}  # of maps, by kind
MAP_HOVER = "{name}, map {map} of layer {layer}, {side} × {side}"
FLAT = "Flat"
IMAGE = "Image"
IMAGE_HOVER = "The image"
KERNEL = "Kernel"
WINDOW_RANGE = "Row and column of the window are from 0 to {most}."
INPUT_OF = "Input map {map} of {count}"
WINDOW_HOVER = "The input, with the kernel’s window"
PRODUCTS = "Products"
PRODUCTS_HOVER = "Each number under the window times the weight over it"
NUMBER_OF_ONE = "Sum of the products {sum} + bias {bias} = {total}"
NUMBER_OF_SEVERAL = "This sum {sum} + those of the other inputs + bias = {total}"
CONVOLVED = "Convolution"
CONVOLVED_HOVER = "The image, convolved with the kernel"
CONVOLVED_AND_BIAS = "Convolution + bias ({bias})"
SUM_AND_BIAS = "Sum + bias ({bias})"
RESULT_HOVER = "Map {map} of layer {layer}, from {low:.3g} to {high:.3g}"
INPUTS = "Inputs"
INPUT_HOVER = "Input map {map}"
KERNELS = "Kernels"
CONVOLUTIONS = "Convolved"
CONVOLUTION_HOVER = "Input map {map}, convolved with its kernel"
FILTER = "Filter"
MEAN_KERNEL = "Mean kernel"
MAP = "Map"
EARLIER_STEP = "step {step:,}<br>{predicted} ({percent:.0f} %)"
NO_SUCH_MAP = "Choose a layer from 1 to {layers}. Maps in each layer: {maps}."

# Mistakes.

NO_TEST_YET = "No test yet: one starts by itself."
EMPTY_CELL = "No {digit} was read as {a_predicted}."
RIGHT_LABEL = "{digit}"
WRONG_LABEL = "{digit} → {predicted}"
RIGHT_HOVER = "Test image {number:,}, {a_digit}<br>read as {a_predicted} ({percent:.1f} %)<br>Click to look inside"
WRONG_HOVER = (
    "Test image {number:,}, {a_digit}<br>read as {a_predicted} ({percent:.1f} %)<br>"
    "probability of its true digit: {true_percent:.2g} %<br>Click to look inside"
)
CONFUSION_HOVER = "true digit %{y}, predicted %{x}: %{text}"
TRUE_DIGIT = "True digit"
PREDICTED_DIGIT = "Predicted digit"
PREDICTED_DIGIT_TESTED = "Predicted digit ({images:,} images, step {step:,})"
CLASS_ACCURACY_AXIS = "Correct predictions (%)"
CLASS_ACCURACY_HOVER = "{digit}: {percent:.1f} % of {images:,}"
NOTHING_TO_CHOOSE = "There is nothing to choose in that chart."

# Last layer.

DIRECTIONS = ("Direction A", "Direction B")
TSNE_DIRECTIONS = ("t-SNE 1", "t-SNE 2")
POINT_HOVER = "{picture}<br>test image {number:,}, {a_digit}"
TSNE_WAITING = "Another t-SNE is being computed on this machine; yours is next."
TSNE_WORKING = "t-SNE is being computed …"
TSNE_OF_STEP = "Step {step:,}; switch off and on for the current step"
TSNE_FAILED = "t-SNE failed: {error}"

# Draw.

YOUR_DIGIT = "Your digit"
A_TEST_IMAGE = "A test image"
MODEL_INPUT_HOVER = "Model input: 28 × 28 numbers from 0 to 1"
PROBABILITY = "Probability"
BAR_HOVER = "{name}, digit %{{x}}: %{{y:.3f}}"
STAGES = {
    "given": "As given",
    "flattened": "Even light",
    "inverted": "Inverted (ink = 1)",
    "bilevel": "Black and white",
    "cropped": "Cropped",
    "scaled": "Scaled to {side} × {side}",
    "centred": "Placed in 28 × 28",
}
STAGE_HOVER = "{title}: {wide} × {high}"
PREDICTED = "Predicted: {predicted}"
SALIENCY = "Saliency"
SALIENCY_HOVER = "Absolute gradient of the logit with respect to each pixel, up to {largest:.3g}"
OCCLUSION = "Occlusion"
OCCLUSION_HOVER = "How far the logit falls (blue) or rises (orange) where 6 × 6 pixels are black"
READ_AS = "Read as {predicted}: {percent:.0f} %"
ATTACK_CHANGE = "The change"
ATTACK_CHANGE_HOVER = "Brighter (blue) or darker (orange)"
ATTACKED_HOVER = "The image with the change added"
BEFORE = "Before"
AFTER = "After"
SHIFT_START = "Switch on Start: a fully connected model<br>trains, then both are tested."
SHIFT_TRAINING = "The fully connected model trains:<br>step {step:,} of {steps:,}"
SHIFT_MODELS = (
    "CNN: {steps:,} steps, {parameters:,} parameters<br>"
    "Fully connected: {plain_steps:,} steps, {plain_parameters:,} parameters"
)
SHIFT_CNN = "CNN"
SHIFT_PLAIN = "Fully connected, same size"
SHIFT_AXIS = "Shift (pixels)"
SHIFT_ACCURACY_AXIS = "Accuracy (%)"
SHIFT_HOVER = "{name}: %{{customdata:.1f}} % (shift in pixels: %{{x}})"
BLANK_PICTURE = "This picture is blank: all its pixels have the same grey level. Choose another one."
NO_SUCH_SLIDER = "This chart does not have that slider."
SLIDER_RANGE = "“{label}” accepts numbers from {lo:g} to {hi:g}."
WRONG_DRAWING = "A drawing must be {side} × {side} bits: {size:,} bytes in base64."

# An uploaded picture.

PICTURE_TOO_LARGE = "The file is too large: a picture may have at most {megabytes} MB."
PICTURE_TOO_MANY_PIXELS = (
    "The picture has too many pixels: at most {megapixels} million are allowed. Make it smaller, or cut the digit out."
)
PICTURE_TOO_SMALL = "The picture has {wide} × {high} pixels: too few for a digit."
PICTURE_UNREADABLE = "This PNG or JPEG file cannot be read. Save the picture again as PNG or JPEG, then upload it."
