"""Every sentence of the pages' frame that a visitor reads: one table, with a record for each component.

A second language is another `Text`. Lessons keep their own sentences, and the board's are in `board.WORDS`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Between two quotations: words that have no meaning in Markdown. Everything else there is a visitor's.
BETWEEN = re.compile("”((?:[^\\W_]|[ ,;’'-]|[.:](?= ))+)“")


def quoted(sentence: str) -> str:
    """The sentence with what it quotes from a visitor as code, so that no Markdown in it has an effect."""
    return re.sub("“(.*)”", _as_code, sentence, flags=re.DOTALL)


def _as_code(quotations: re.Match[str]) -> str:
    """A visitor's text may have quotation marks of its own, so only plain words are left between two quotations."""
    return "`` " + BETWEEN.sub(r" ``\1`` ", quotations[1].replace("`", " ")) + " ``"


@dataclass(frozen=True)
class Page:
    """The parts that several pages have, and the navigation."""

    app: str = "PyTorch Playground"
    title: str = "{page} · {app}"
    home: str = "Home"
    lessons: str = "Lessons"
    more: str = "More"
    lab: str = "Lab"
    blocked: str = (
        "No websocket reaches the server, so nothing here can move. Tell whoever runs it: the proxy must pass on "
        "websockets (Upgrade) to /_stcore/stream and /live/."
    )
    streamlit_blocked: str = (
        "The page's own websocket does not open, so nothing here can move. Tell whoever runs the server: the proxy "
        "must pass on websockets (Upgrade) to /_stcore/stream, not only to /live/."
    )
    no_cookies: str = (
        "This browser keeps no cookies for this page, so no file can be sent. Open the page in a tab of its own; in a "
        "frame of another site it needs https."
    )
    starts_over: str = "{help} Changing it starts the run over."
    earlier: str = "← {title}"
    later: str = "{title} →"
    show_code: str = "Show the script, and the code that runs here"
    no_run: str = "The run is not ready. Press Reset, then try again."
    no_answer: str = "The run did not answer in time. Try again in a moment."


@dataclass(frozen=True)
class Drawer:
    """The title row, the drawer with all settings, and the first items of "More"."""

    title: str = "All settings"
    one_changed: str = "All settings, 1 is not at its default"
    changed: str = "All settings, {count} are not at their defaults"
    close: str = "Close the settings"
    to_defaults: str = "Back to the defaults"
    to_defaults_help: str = "Sets every setting of this page that you can see here. Your own points stay."
    idea: str = "The idea ↓"
    read: str = "Close"
    pin: str = "Pin this run"
    large: str = "Larger type (A+)"
    large_short: str = "A+"
    full_screen: str = "Full screen"
    large_not_kept: str = "This browser stores no data for this site: the larger type lasts until you reload the page."


@dataclass(frozen=True)
class Home:
    """The page "Home", apart from its prose."""

    title: str = "Watch a model learn"
    start: str = "Start here"
    start_with: str = "First, fit a curve yourself. It takes a minute."
    join_class: str = "Join a class"
    teach_class: str = "Teach a class"
    lessons: str = "Thirteen lessons, in order"
    hours: str = "about {hours} hours"
    minutes: str = "{number} · {minutes} min"
    step: str = "step {step}"
    pause: str = "Pause the picture"
    play: str = "Play the picture"
    picture: str = (
        "A model with {units} hidden units learns a wave from {points} points. Its curve begins as a nearly straight "
        "line and follows the points after {steps} steps."
    )


@dataclass(frozen=True)
class Progress:
    """What a browser keeps of answers, on the home page."""

    none: str = "Your answers in the lessons will be marked here. They are kept in this browser only."
    sum: str = "Questions answered: {answered} of {count}; right the first time: {first}. Kept in this browser only."
    sum_with_predictions: str = (
        "Questions answered: {answered} of {count}; right the first time: {first}. Predictions: {predictions}; right: "
        "{predictionsRight}. Kept in this browser only."
    )
    save: str = "Save as a file"
    read: str = "Read a file"
    forget: str = "Forget it"
    sure: str = "Really forget all of it?"
    forgotten: str = "All of it is forgotten."
    not_read: str = "This file could not be read. Choose a file that was saved here."
    was_read: str = "The file was read, and added to what this browser had."
    not_kept: str = (
        "This browser stores no data for this site: what the file says is forgotten when you close the page."
    )
    mark: str = "Opened. Questions answered: {answered} of {count}; right the first time: {first}"
    mark_with_predictions: str = (
        "Opened. Questions answered: {answered} of {count}; right the first time: {first}. Predictions: {predictions}"
    )


@dataclass(frozen=True)
class Share:
    """The part "Share a link" of "More"."""

    title: str = "Share a link"
    settings: str = "This link opens the lesson with the settings you see now."
    hide: str = "Hide from students"
    predict: str = "Questions before Play"
    predict_modes: tuple[tuple[str, str], ...] = (
        ("on", "Ask"),
        ("off", "Do not ask"),
        ("required", "Require an answer"),
    )
    no_steps: str = "After some steps of training there is also a link that repeats them."
    replay: str = (
        "This link also repeats the training up to step {steps:,}, with every setting changed on the way, and checks "
        "that the weights are the same (checksum {checksum})."
    )
    not_started: str = "The shared run could not be started: the server did not answer. Open the link again."
    update: str = "Update the link to the current step"
    update_help: str = "The run may have continued since then."


@dataclass(frozen=True)
class Script:
    """The script of a run, below the prose."""

    about: str = (
        "This is the run on this page up to step {steps:,}. Save it as `{file}` and run it with Python. {needs} "
        "{promise} {prints}"
    )
    download: str = "Download {file}"
    update: str = "Update the script to the current step"
    update_help: str = "The run may have continued since then."


@dataclass(frozen=True)
class Save:
    """The part "Save and restore" of "More"."""

    title: str = "Save and restore"
    about: str = (
        "A checkpoint is the whole run at its current step. A run restored from it, here or on another server, "
        "continues exactly as if it had never stopped."
    )
    checkpoint: str = "Checkpoint"
    checkpoint_help: str = (
        "Settings, weights, optimizer, batch order, random numbers and history: all that the run needs to continue."
    )
    weights_pt: str = "Weights .pt"
    weights_pt_help: str = "The state_dict of the model that the run’s script builds, as torch.save writes it."
    weights_npz: str = "Weights .npz"
    weights_npz_help: str = "The same arrays for NumPy."
    upload: str = "Restore a checkpoint, or load weights from a .pt or .npz"
    restored: str = "Restored at step {step:,}, weights {checksum}. Press Play to continue."
    loaded: str = "Weights loaded (checksum {checksum}). The optimizer keeps its state."
    loaded_in_order: str = (
        "Weights loaded (checksum {checksum}). The optimizer keeps its state. The names in the file were different, so "
        "its tensors were assigned in order."
    )


@dataclass(frozen=True)
class Points:
    """The part of the group Data where students bring points of their own."""

    title: str = "Your own points"
    paste: str = "Paste rows of {columns}"
    upload: str = "or upload a table (CSV or text)"
    use: str = "Use these points"
    undo: str = "Undo last click"
    generated: str = "Back to generated points"
    redraw: str = "New points"
    redraw_help: str = "Draws new points, or a new test split of your table. The model stays as it is."
    download: str = "Download the points"
    used: str = "{rows:,} rows in use."
    brush: str = "Class of clicked points"
    nothing: str = "Paste rows or upload a table first."
    from_text: str = "From the pasted text: {summary}"
    from_file: str = "From the file “{file}”: {summary}"
    column: str = "Column for {role}"
    first: str = "First line: {first}"
    names: str = "names of the columns"
    point: str = "a point"
    decimal: str = "Meaning of 1,234"
    decimal_comma: str = "1.234 (decimal comma)"
    thousands_comma: str = "1234 (thousands)"
    in_use: str = (
        "Your table of {rows:,} rows is in use. Until you go back to generated points, these settings have no effect: "
        "{labels}."
    )


@dataclass(frozen=True)
class Picture:
    """The part of the group Data of a lesson that looks at an image."""

    title: str = "Upload a digit"
    about: str = (
        "A photograph or a scan of one digit that you wrote: dark on light paper or light on dark, with nothing else "
        "on it."
    )
    upload: str = "Upload a digit (PNG or JPEG)"
    used: str = (
        "The picture is in use. Open **Draw** to see how it is prepared for the model; **Clear** on the drawing pad "
        "removes it."
    )


@dataclass(frozen=True)
class Compare:
    """Two runs in one picture."""

    switch: str = "Compare"
    switch_help: str = "A second run on the same data, with one setting changed."
    start: str = "Second run"
    before: str = "As it was"
    before_about: str = "The run as it was, beside the one that continues with an empty optimizer state."
    start_help: str = (
        "“From here” keeps the weights that you see now. Drag the time slider to choose an earlier step; from there "
        "the optimizer starts with empty state."
    )
    from_start: str = "From step 0"
    from_here: str = "From here"
    setting: str = "Changed setting"
    same: str = "Both runs would be the same. Choose another value for the second one."
    not_ready: str = "The run to compare with is not ready. Switch the comparison off and on again."
    bad_link: str = (
        "The link asks for a comparison with “{text}”, which is not a setting of this page with one of its values. "
        "Switch Compare on to choose one."
    )
    cannot_differ: str = "“{label}” has no effect with these settings, so another setting is compared."
    nothing_free: str = "There is no setting that a second run may change here."
    not_live: str = "“{label}” starts a run over, so it can only be compared from step 0. Another setting is compared."


@dataclass(frozen=True)
class Tables:
    """Arrays and kernels as tables to type into, and the tables below a lab's charts."""

    array: str = "Edit a as a table"
    array_unreadable: str = "Type an array that can be read; then it is shown here as a table."
    array_axes: str = "A table has one or two axes. Choose another shape."
    kernel: str = "The kernel’s numbers: click one to change it."
    kernel_unreadable: str = "Type a kernel that can be read; then it is shown here as a table."
    layers: str = "Edit the layers as a table"
    layers_about: str = "A row for each layer. Below the last row you can add one; tick a row to delete it."
    layers_unreadable: str = "Type layers that can be read; then they are shown here as a table."
    refused: str = "This cell does not accept that value."
    caption_of_several: str = "{title}, table {number} of {count}"


@dataclass(frozen=True)
class Mnist:
    """The panel that says which digits a page uses, and fetches MNIST where it is missing."""

    download: str = "Download MNIST (12 MB)"
    progress: str = "{fetched:.1f} of {total:.1f} MB"
    cancel: str = "Cancel"
    cancel_help: str = "Stops the download for everybody on this server."
    reading: str = "Reading the digits …"


@dataclass(frozen=True)
class StillLab:
    """A lab that is drawn again for each setting."""

    drawing: str = "Drawing …"


@dataclass(frozen=True)
class Seeds:
    """Nine starts of one classification."""

    switch: str = "Nine seeds at once"
    switch_help: str = "The same points and settings, nine different starts."


@dataclass(frozen=True)
class Rail:
    """The experiments above the charts."""

    unknown: str = "This lesson has no experiment called “{id}”, so that part of the link was ignored."
    setting: str = "{label}: {value}"
    separator: str = " · "
    on: str = "on"
    off: str = "off"
    defaults: str = "The settings that the page opens with"
    statement: str = "{option}."
    because: str = "The answer is “{option}”."
    bad_mode: str = "“{value}” is not a way to ask before Play, so it was ignored. Choose one of: {modes}."


@dataclass(frozen=True)
class Prose:
    """The words below the charts, apart from the lessons' own."""

    show: str = "Show “{heading}”"
    no_answer: str = "The server did not answer. Try again in a moment."
    number: str = "Your answer"
    formula: str = "Your formula of {names}"
    check: str = "Check"
    wrong: str = "Not right."
    again: str = "Try once more."
    show_answer: str = "Show the answer"
    right_first: str = "Right, at the first try."
    right: str = "Right."
    the_answer: str = "The right answer:"
    right_option: str = "right"
    wrong_option: str = "not right"
    known: str = "answered before"
    known_first: str = "right first time"
    not_kept: str = "This browser stores no data for this site: your answers are forgotten when you close the page."
    from_before: str = "Two questions from before"
    one_from_before: str = "One question from before"
    from_before_help: str = "What you learned in earlier lessons stays longer if you are asked again."
    from_before_group: str = "From earlier lessons"
    from_lesson: str = "From {title}"
    close: str = "Close"


@dataclass(frozen=True)
class Text:
    """All sentences of the pages' frame in one language."""

    page: Page = Page()
    drawer: Drawer = Drawer()
    home: Home = Home()
    share: Share = Share()
    script: Script = Script()
    save: Save = Save()
    points: Points = Points()
    picture: Picture = Picture()
    compare: Compare = Compare()
    tables: Tables = Tables()
    mnist: Mnist = Mnist()
    seeds: Seeds = Seeds()
    lab: StillLab = StillLab()
    rail: Rail = Rail()
    prose: Prose = Prose()
    progress: Progress = Progress()


TEXT = Text()
