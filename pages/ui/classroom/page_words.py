"""Every sentence of a class's own pages: start, door, wall, projector, phone, join, vote only, afterwards.

A pair of sentences is for one and for several; the field {n} decides. A second language is another `ClassText`. What
the server answers to commands is in `playground/classroom/messages.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Pair = tuple[str, str]  # for one, for several


@dataclass(frozen=True)
class Title:
    """The titles of the pages."""

    teacher: str = "Class"
    join: str = "Join a class"
    projector: str = "Projector"
    remote: str = "Your class"
    vote: str = "Answer"


@dataclass(frozen=True)
class Every:
    """What several pages have."""

    no_script: str = "This page needs JavaScript."
    code: str = "Code {letters}"
    close: str = "Close"
    cancel: str = "Cancel"
    copy: str = "Copy"
    not_copied: str = "The browser did not copy it."
    connecting: str = "Connecting …"
    lost: str = "No connection to the class. Trying again …"
    returning: str = "The server was started again. The class comes back with your teacher's page …"


@dataclass(frozen=True)
class Start:
    """The first page of /class."""

    title: str = "Teach a class, live"
    lead: str = "Students join with a code. You see every board, set the pace and ask questions."
    start: str = "Start a class"
    failed: str = "The class could not be started. Try again in a moment."
    go_on: str = "Go on with class {code}"
    unknown_here: str = "This browser does not belong to class {code}. Open its teacher's link or QR code here."
    names: str = "Names"
    offered: str = "Offered: Blue 7"
    own: str = "Own"
    numbers: str = "Numbers"
    notes: dict[str, str] = field(
        default_factory=lambda: {
            "offered": "An offered name says nothing about a person.",
            "own": "Students type a name. A list of words keeps the rude ones out.",
            "numbers": "Nobody has a name, not even in the file.",
        }
    )
    projected: str = "Boards projected"
    no_names: str = "No names"
    show_names: str = "Names"
    projected_note: str = "A typed name is never projected before you allow it."
    plan: Pair = ("A plan with 1 step comes with this link:", "A plan with {n} steps comes with this link:")
    join: str = "Join a class with a code"
    lessons: str = "To the lessons"
    who: str = "Who sees what"
    sees: tuple[tuple[str, str], ...] = (
        ("You", "All boards, the count of answers, who asks for help."),
        ("A student", "Their own board, and what you show to all. Never another student's name or answer."),
        ("The projector", "Counts. Results only after you press Show."),
        ("Afterwards", "Nothing is kept, except what you save."),
    )


@dataclass(frozen=True)
class Door:
    """The door, and the panel for a second device."""

    app: str = "PyTorch Playground"
    lead: str = "Join with any browser"
    shut: str = "The door is closed. Nobody else can join now."
    joined: Pair = ("has joined", "have joined")
    no_account: str = "No account, no app"
    sees: str = "Your teacher sees your board and your answers. Others see them only when your teacher shows them."
    qr: str = "QR code: the link to this class"
    copy: str = "Copy the link"
    copied: str = "The link is copied. Anyone who opens it can join."
    close: str = "Close the door"
    open: str = "Open the door"
    device: str = "Second device"
    wall: str = "Go to the wall"
    second: str = "A second device, for you only"
    cover: str = "Cover the projector first. This picture works once, for 60 seconds."
    pair_qr: str = "QR code for one second device"
    left: Pair = ("{n} second left", "{n} seconds left")
    used: str = "This picture is used, or too old."
    another: str = "Another picture"
    private: str = "Or your private link, unseen:"
    private_copied: str = "Your private link is copied. Anyone who opens it is the teacher."
    this_device: str = "This device"
    views: dict[str, str] = field(
        default_factory=lambda: {"wall": "Another wall", "remote": "A phone", "board": "Your board"}
    )
    away: str = "(away)"
    take_out: str = "Take it out"
    mine: str = "It is mine"
    joined_device: str = "A second device has joined: {view}."


@dataclass(frozen=True)
class PlanText:
    """The lesson plan."""

    label: str = "Lesson plan"
    list: str = "The lesson plan: a list"
    before: str = "Step before"
    next: str = "Next step"
    of: str = "of {n}"
    none_short: str = "plan"
    none: str = "No steps yet. Collect the lessons, labs and experiments of this hour, in order."
    asks: str = "with its question"
    earlier: str = "Earlier"
    later: str = "Later"
    remove: str = "Remove"
    add: str = "Add a step …"
    add_here: str = "Add where they are"
    copy: str = "Copy the plan as a link"
    copied: str = "The link is copied. It starts a class with this plan."


@dataclass(frozen=True)
class WallText:
    """The teacher's wall."""

    page_title: str = "Class {code}"
    title: str = "Class"
    here: str = "{n} of {of} here"
    private: str = "only you see this page"
    clock: str = "{time} · {n} min"
    names: str = "Names on this page"
    with_names: str = "Names"
    no_names: str = "No names"
    board: str = "Board {n}"
    boards: str = "Boards"
    projector: str = "Projector"
    open_projector: str = "Open the projector's page ↗"
    project_label: str = "It shows"
    project: dict[str, str] = field(
        default_factory=lambda: {
            "auto": "What the class does",
            "door": "The door: code and QR code",
            "scatter": "All runs as dots",
            "ghosts": "All loss curves",
            "leaders": "The challenge",
            "blank": "Nothing",
        }
    )
    leaders: str = "Leaderboard of the challenge"
    leaders_names: str = "With names"
    more_menu: str = "More"
    to_door: str = "The door: code and QR code"
    shut_door: str = "Close the door"
    open_door: str = "Open the door"
    take_out_new: Pair = (
        "Take out who joined in the last {minutes} minutes …",
        "Take out the {n} who joined in the last {minutes} minutes …",
    )
    sure_new: Pair = ("Take 1 student out and close the door?", "Take {n} students out and close the door?")
    sure_new_note: str = "For strangers who have come in. Each can ask to come back, and Undo lets all in again."
    take_out_yes: str = "Take out"
    second_device: str = "A second device …"
    my_board: str = "My own board ↗"
    show_names: str = "Show names on the projector"
    hide_names: str = "No names on the projector"
    allow_all: Pair = ("Allow 1 typed name on the projector", "Allow {n} typed names on the projector")
    larger_type: str = "Larger type (A+)"
    usual_type: str = "Usual type"
    light: str = "Light"
    dark: str = "Dark"
    end: str = "End the class …"
    keys: str = (
        "Keys: E eyes up, L lock, F follow, N next act, P peek while held, U undo, / find, arrows and Enter: boards"
    )
    plan: PlanText = PlanText()
    # what the class does
    free_title: str = "Free work"
    free_sentence: str = "All work where they like."
    eyes_title: str = "Eyes up"
    eyes_sentence: str = "All boards are paused. Resume lets each go on where it stopped."
    follow_title: str = "They follow you"
    follow_sentence: str = "Your board is on all screens. Their own boards are kept."
    spot_title: str = "On all screens: {name}"
    spot_sentence: str = "The student sees a notice."
    sent_experiment: str = "{page}, experiment {n}"
    sent_nobody: str = "{place}."
    sent_all: str = "{place}. All are there; {ran} of {of} have run it."
    sent_strayed: str = "{place}. {n} strayed; {ran} of {of} have run it."
    ask: str = "Ask: {question}"
    send_step: str = "Send all to step {n}"
    next_step: str = "Next: {title}"
    send_strayed: Pair = ("Send 1 who strayed", "Send {n} who strayed")
    send_first: str = "Send all somewhere …"
    stop_screen: str = "Take it off the screens"
    # tiles
    show: str = "Show"
    filters: dict[str, str] = field(
        default_factory=lambda: {
            "all": "All {n}", "help": "Help {n}", "diverged": "Diverged {n}", "idle": "Idle {n}", "done": "Done {n}",
            "open": "Not done {n}",
        }
    )  # fmt: skip
    sort: str = "Sort"
    orders: dict[str, str] = field(
        default_factory=lambda: {
            "joined": "As they joined", "name": "By name", "progress": "By steps", "loss": "By loss",
            "help": "By waiting time",
        }
    )  # fmt: skip
    sort_again: str = "Sort again: {order}"
    find: str = "Find a name (/)"
    find_short: str = "Find"
    pages: str = "{from}–{to} of {n}"
    page_before: str = "Page before"
    page_next: str = "Next page"
    nobody_here: str = "No board matches."
    nobody_yet: str = "Nobody has joined yet. The code is on the door: More, The door."
    no_run: str = "no run yet"
    loss: str = "loss {loss}"
    loss_step: str = "loss {loss} · step {step}"
    nan: str = "nan"
    voted: str = "voted"
    waiting: str = "waiting"
    done: str = "done"
    met: str = "goal"
    away: str = "away"
    idle: str = "nothing done for a while"
    minutes: str = "{n} min"
    short_minutes: str = "{n}"
    help_minutes: str = "help, {n} min"
    asks: str = "asks for help"
    diverged: str = "diverged"
    # needs you
    needs: str = "Needs you"
    nobody: str = "nobody"
    diverged_at: str = "diverged, rate {rate}"
    diverged_step: str = "diverged at step {step}"
    nothing_done: str = "idle at step {step}"
    wants_back: str = "{name} asks to come back"
    let_back: str = "Let in"
    no: str = "No"
    more: str = "{n} more"
    fewer: str = "Fewer"
    # beside the tiles
    where: str = "Where they are"
    home: str = "Home"
    losses: str = "All losses"
    losses_note: str = "each from its start"
    losses_alt: str = "The losses of all boards, one line each"
    found: str = "What they found"
    found_note: str = "{y} by {x}"
    found_alt: str = "One dot for each board: {x} against {y}"
    larger_picture: str = "Larger"
    put_found: str = "Put it on the projector"
    take_off: str = "Take it off the projector"
    together_label: str = "Picture of all runs"
    together: dict[str, str] = field(
        default_factory=lambda: {"ghosts": "All losses", "scatter": "One dot for each run", "leaders": "The challenge"}
    )
    together_note: str = "As the projector shows it"
    axis_x: str = "Across"
    axis_y: str = "Up"
    axes: dict[str, str] = field(
        default_factory=lambda: {
            "rate": "rate", "units": "units", "parameters": "parameters", "loss": "loss", "accuracy": "accuracy",
        }
    )  # fmt: skip
    no_runs: str = "No board trains yet."


@dataclass(frozen=True)
class QuestionText:
    """A vote, on the wall and on the phone."""

    see_runs: str = "The real runs"
    label: str = "Question"
    vote: str = "Vote {round}"
    shown: str = "Vote {round}, shown"
    counted: str = "{n} of {of}"
    have_answered: str = "{n} of {of} have answered"
    peek: str = "Hold to peek"
    peek_note: str = "Only if this screen is not projected. Your phone can peek any time."
    missing: str = "Still to answer: "
    and_more: str = " and {n} more"
    changed: Pair = ("1 changed the answer.", "{n} changed their answer.")
    closes_in: str = "Closes in {left}"
    show_anyway: str = "Show"
    stages_label: str = "Steps of the question"
    stages: dict[str, str] = field(
        default_factory=lambda: {
            "ask": "Ask", "vote1": "Vote 1", "talk": "Talk it over", "vote2": "Vote 2", "show": "Show both",
            "play": "Play",
        }
    )  # fmt: skip
    states: dict[str, str] = field(
        default_factory=lambda: {
            "open 1": "Vote 1 is open. Nobody sees a result.",
            "closed 1": "Vote 1 is closed. They talk. The result is still hidden.",
            "shown 1": "The result of vote 1 is shown.",
            "open 2": "Vote 2 is open.",
            "closed 2": "Vote 2 is closed. The result is still hidden.",
            "shown 2": "Both votes are shown.",
            "run": "The real run plays on their boards.",
        }
    )
    acts: dict[str, str] = field(
        default_factory=lambda: {
            "close": "Close vote {round}", "reopen": "Reopen the vote", "show": "Show vote {round}",
            "show_both": "Show both votes", "open_2": "Open vote 2", "hide": "Hide it again",
            "play": "Play the real run", "reveal": "Say the answer now", "next": "End the question",
        }
    )  # fmt: skip


@dataclass(frozen=True)
class PaceText:
    """The line below the tiles."""

    label: str = "Pace of the class"
    eyes: str = "Eyes up"
    resume: str = "Resume"
    lock: str = "Lock settings"
    locked: Pair = ("1 setting locked", "{n} settings locked")
    locked_all: str = "All settings locked"
    lock_note: str = "Students cannot change what is locked."
    lock_all: str = "All settings"
    follow: str = "Follow me"
    follows: str = "Stop: they follow me"
    no_board: str = "Open your own board first: it is what they will see."
    my_board: str = "My own board ↗"
    send: str = "Send …"
    send_to: Pair = ("Send to the 1 who is here", "Send to all {n} who are here")
    send_place: str = "A lesson, a lab or an experiment …"
    send_mine: str = "My present run"
    send_this: str = "This board: {name}"
    send_note: str = "Every student's own run is kept and comes back with one click."
    no_run: str = "To send a run, open your own board first."
    mine_title: str = "Your teacher's run"
    board_title: str = "A board of this class"
    free: str = "Set free"
    together: str = "Call together"
    undo: str = "Undo"


@dataclass(frozen=True)
class SendText:
    """The dialog with all lessons."""

    title: str = "Send all to"
    plan_title: str = "Add to the plan"
    find: str = "Find"
    lessons: str = "Lessons"
    lesson: str = "the lesson as it opens"
    lab: str = "lab"
    experiment: str = "experiment"
    nothing: str = "Nothing was found."
    note: str = "Every student's own run is kept and comes back with one click."
    while_asked: str = "A question is open. Another one can be asked after it."
    send: str = "Send"
    preset: str = "Settings"
    preset_help: str = "Sends the settings alone, without the question and the sentences"
    ask: str = "Ask"
    plan_add: str = "Add"
    plan_ask: str = "Add with its question"
    added: str = "In the plan: {title}"


@dataclass(frozen=True)
class BoardText:
    """One student's board on the wall."""

    label: str = "The board of {name}, read only"
    picture: str = "The picture of {name}"
    back: str = "Back to all boards"
    before: str = "Board before"
    next: str = "Next board"
    read_only: str = "read only · the student knows"
    put: str = "Put on all screens"
    take_off: str = "Take it off"
    show_name: str = "Show the name"
    hide_name: str = "Hide the name"
    snapshot: str = "Snapshot"
    kept: str = "Kept. It is on the page before the end of the class."
    helped: str = "Help given"
    allow: str = "Allow the name projected"
    send: str = "Send my run"
    rename: str = "Rename"
    new_name: str = "New name"
    take_out: str = "Take out of the class"
    sure: str = "Take {name} out of the class?"
    sure_note: str = "The student can ask to come back."
    strip: str = "Its loss"
    keys: str = "Arrow keys: next board. Esc: back. On the projector without a name, unless you show it."
    numbers: dict[str, str] = field(
        default_factory=lambda: {
            "lesson": "Lesson", "step": "Step", "loss": "Train loss", "accuracy": "Test accuracy", "units": "Units",
            "rate": "Learning rate", "last": "Last act", "seconds": "{n} s ago", "minutes": "{n} min ago",
        }
    )  # fmt: skip


@dataclass(frozen=True)
class AfterText:
    """Before the end of a class, and after it."""

    title: str = "Before you end the class"
    lead: str = "Minutes: {minutes}, students: {students}, questions: {questions}. Take with you what you want to keep."
    back: str = "Back to the class"
    end: str = "End and delete"
    sure: str = "End the class and delete everything?"
    sure_note: str = "Names, answers and snapshots are gone for all. Files that you have saved stay yours."
    answers: str = "Answers and final numbers"
    table: str = "Answers and final numbers, the first rows"
    kinds: str = "Names in the file"
    names: str = "Names"
    numbers: str = "Numbered, shuffled"
    save_csv: str = "Save CSV, {n} kB"
    save_file: str = "Save CSV"
    loading: str = "Loading the table …"
    nothing: str = "There is nothing to show yet."
    no_file: str = "The file could not be loaded. Try again."
    more_rows: Pair = ("… 1 more row.", "… {n} more rows.")
    shuffled: str = "The order is shuffled, and no column tells when somebody answered."
    snapshots: str = "Snapshots"
    kept: str = "{n} kept by you"
    no_snapshots: str = "None. A board that you open from the wall has a button for it."
    board: str = "Board {n}"
    picture: str = "The picture of {name}"
    step: str = "step {step}"
    save: str = "Save"
    save_all: str = "Save all"
    link: str = "Link"
    open_link: str = "Link to this run: {name}"
    drop: str = "Delete"
    stays: str = "What stays"
    with_you: str = "With you"
    with_you_note: str = "The files that you save here."
    with_students: str = "With each student"
    with_students_note: str = "Their own run and progress, in their own tab."
    deleted: str = "What is deleted"
    at_once: str = "At once"
    at_once_note: str = "Names, answers, help flags, the wall, all links of this class."
    by_itself: str = "By itself"
    by_itself_note: str = "If you just close this page: 30 minutes after the last of your devices has left."
    gone: str = "The class is over"
    gone_lead: str = (
        "All names, answers and links of it are deleted from the server. The files that you saved are yours."
    )
    gone_itself: str = (
        "Another of your devices has ended it, or it ended by itself because you were away for too long. All names, "
        "answers and links of it are deleted from the server."
    )
    taken_out: str = "This device was taken out"
    taken_out_lead: str = "Another device of the teacher has changed the private link."
    no_class: str = "There is no such class"
    no_class_lead: str = "It has ended, or the server was restarted and has lost it."
    closed: str = "The connection has ended"
    closed_lead: str = "Load this page again to come back."
    again: str = "Start a new class"
    lessons: str = "To the lessons"


@dataclass(frozen=True)
class JoinText:
    """The page on which students join."""

    title: str = "Join a class"
    type: str = "Type the six letters from the screen."
    six: str = "A code has six letters."
    six_letters: str = "Code of six letters"
    letter: str = "Letter {n}"
    next: str = "Next"
    again: str = "Try again"
    wrong: str = "There is no class with this code. Look at the screen again."
    slow: str = "That was many wrong codes. Wait a moment."
    again_in: str = "Try again in {n} s"
    looking: str = "One moment …"
    no_line: str = "No connection yet. Trying again …"
    class_: str = "Class"
    name: str = "Your name in this class"
    call: str = "What should we call you?"
    another: str = "Another"
    letters: str = "{n} of {of}"
    or_stay: str = "Or stay {name}. A nickname is fine."
    other_name: str = "Please choose another name."
    sees: str = (
        "Your teacher sees your board, your answers and when you last did something; others do not, unless your "
        "teacher shows it, and all is deleted when the class ends."
    )
    join: str = "Join"
    join_as: str = "Join as {name}"
    leave: str = "Leave with one click whenever you like."
    without_board: str = "Only answer questions, without a board"
    with_board: str = "Join with a board of your own"
    same: str = "That name is taken"
    would_be: str = "You would be {name}."
    choose: str = "Choose another"
    number: str = "You are number {n}"
    number_note: str = "This class has numbers instead of names. Remember yours."
    welcome_back: str = "Welcome back, {name}"
    in_another_tab: str = "You are in this class in another tab. It goes on here, and the other tab stops."
    go_on: str = "Go on here"
    not_me: str = "Not me: join as somebody else"
    full: str = "This class is full"
    full_note: str = "You join automatically when somebody leaves."
    line: Pair = ("You are first in line.", "You are number {n} in line.")
    without: str = "Learn without a class"
    shut: str = "The door is closed"
    shut_note: str = "Your teacher lets nobody else in now. Ask your teacher to open it, then try again."
    ended: str = "This class is over"
    ended_note: str = "Nothing of it is kept here. The lessons stay open to you."
    to_lessons: str = "To the lessons"
    other_code: str = "Another code"
    removed: str = "You are no longer in this class"
    removed_note: str = "Your teacher took you out. Your run is still in this tab."
    come_back: str = "Ask to come back"
    waiting: str = "Your teacher was asked"
    waiting_note: str = "This page continues as soon as you are let in."
    lost: str = "The connection was closed"
    lost_note: str = "Try again. Your place is kept for ten minutes."


@dataclass(frozen=True)
class ProjectorText:
    """The projector's page."""

    connecting: str = "One moment"
    nothing: str = "Nothing to project"
    nothing_note: str = "The teacher opens this page from the wall: Projector."
    void: str = "This page is no longer valid"
    closed: str = "The connection has ended"
    closed_note: str = "Load this page again to come back."
    ended: str = "The class is over"
    ended_note: str = "Nothing of it is kept here."
    lost: str = "no connection, trying again …"
    theme: str = "Light or dark"
    full: str = "Full screen"
    join: str = "Join: {address}"
    here: str = "{n} here"
    eyes: str = "Eyes up"
    eyes_note: str = "All boards are paused and go on where they stopped."
    away: str = "One moment"
    away_note: str = "Your teacher's devices are away. Keep working; votes stay as they are."
    free: str = "Free work"
    free_note: str = "Choose a lesson. Press Help above your board when you want your teacher."
    place_note: str = "Your board has it already."
    teachers_board: str = "Your teacher's board"
    a_board: str = "A board of this class"
    board_of: str = "The board of {name}"
    owner_knows: str = "Its owner sees a notice."
    answer_where: str = "Answer in the blue strip above your picture."
    again: str = "Vote again. You may change your mind."
    have_answered: str = "of {of} have answered"
    first_foot: str = "First vote. Results are hidden until all have thought about it."
    second_foot: str = "Second vote"
    closed_foot: str = "The vote is closed. The result is still hidden."
    talk: str = "Talk to your neighbours"
    talk_note: str = "Find somebody with another answer. Then we vote again."
    talk_foot: str = "{n} of {of} answered. Nobody has seen a result."
    first_answers: Pair = ("First vote, 1 answer", "First vote, {n} answers")
    second_answers: Pair = ("Second vote, 1 answer", "Second vote, {n} answers")
    answers: Pair = ("1 answer", "{n} answers")
    changed: str = "{n} of {of} changed their mind."
    legend_changed: str = "changed"
    legend_stayed: str = "stayed"
    on_boards: str = "It plays on your boards."
    valley: str = "Your class drew this valley"
    everybody_rate: str = "A learning rate for each of you"
    rate_note: str = "Choose a rate nobody has tried. Each dot is one of you."
    each_a_dot: str = "One dot for each board"
    dot_note: str = "Try what nobody has tried."
    lost_runs: Pair = ("1 has diverged: red, dashed", "{n} have diverged: red, dashed")
    all_losses: str = "All your loss curves"
    lowest: str = "lowest loss: {y}, at {axis} {x}"
    challenge: str = "The challenge"
    reached: str = "{n} of {of} have reached the goal."


@dataclass(frozen=True)
class PicturesText:
    """Pictures of a whole class: on the projector, and large on the wall."""

    no_answers: str = "Nobody has answered."
    dots_alt: str = "{n} numbers: {values}"
    truth: str = "really {answer}"
    moves_alt: str = "How answers moved from the first vote to the second: {moves}"
    votes: Pair = ("1 vote", "{n} votes")
    first_vote: str = "first vote"
    second_vote: str = "second vote"
    numbers_alt: str = "The numbers of both votes; {n} have changed"
    curves_alt: str = "{n} drawn curves, one over the other"
    real: str = "the real run"
    scatter_alt: str = "{x} against {y}, {n} runs"
    diverged: str = "diverged: the loss is not finite"
    curves_of_loss_alt: str = "Loss curves of {n} runs on a logarithmic scale"
    leaders_alt: str = "Parameters against test accuracy, {n} boards"
    goal: str = "The goal: {accuracy} of the test points, at most {parameters} parameters"
    goal_short: str = "the goal"
    goal_fewest: str = "The goal: {accuracy} of the test points with the fewest parameters"
    first_five: str = "The first five"
    leader: str = "{parameters} · {accuracy}"
    leader_head: str = "parameters · test"
    run_alt: str = "{name}: a real run at step {step}. {number}"
    said: str = "{n} said so"
    loss: str = "loss {loss}"
    nan: str = "nan"
    runs_in: Pair = ("{title}: the run of 1 of {of} students.", "{title}: the runs of {n} of {of} students.")
    ended: Pair = ("1 has ended.", "{n} have ended.")
    running: str = "The real run"
    at_step: str = "step {step}"
    above: str = "test accuracy above each picture"
    axes: dict[str, str] = field(
        default_factory=lambda: {
            "rate": "learning rate", "units": "units", "parameters": "parameters", "loss": "loss",
            "accuracy": "test accuracy", "step": "step",
        }
    )  # fmt: skip


@dataclass(frozen=True)
class RemoteText:
    """The teacher's phone."""

    nothing: str = "This page is for a teacher's phone"
    nothing_note: str = "Open it with the picture that the wall shows under “A second device”. A picture works once."
    void: str = "This device was taken out"
    void_note: str = "Another device of yours has changed the private link."
    used: str = "This picture is used, or too old"
    no_class: str = "There is no such class"
    no_class_note: str = "It has ended, or the server was restarted and has lost it."
    closed: str = "The connection has ended"
    closed_note: str = "Load this page again to come back."
    ended: str = "The class is over"
    ended_note: str = "Everything of it is deleted."
    lessons: str = "To the lessons"
    lost: str = "no connection"
    minutes: str = "{n} min"
    theme: str = "Light or dark"
    step: str = "Step {n} of {of}"
    no_plan: str = "Now"
    free: str = "Free work"
    free_note: str = "All work where they like."
    eyes: str = "Eyes up"
    eyes_note: str = "All boards are paused."
    resume: str = "Resume"
    spot: str = "On all screens: {name}"
    spot_note: str = "Without a name. The student sees a notice."
    spot_named: str = "With the name. The student sees a notice."
    spot_picture: str = "The picture of this board"
    follow: str = "They follow you"
    follow_note: str = "Your board is on all screens."
    sent: str = "{page}. {n} of {of} are there."
    answered: str = "have answered"
    counted: str = "{n} of {of}"
    only_here: str = "Only here, while you hold."
    peek_note: str = "only here"
    most_wait: str = "most wait"
    then: str = "Then"
    helped: str = "Help given"
    take_off: str = "Take it off"
    ask: str = "Ask the question"
    send_step: str = "Send all to: {title}"
    next: str = "Next: {title}"
    no_next: str = "No next step"
    before: str = "Before"
    timer: str = "Timer"
    left: str = "{left} left"
    round: str = "for vote {n}"
    seconds: str = "{n} seconds"
    no_timer: str = "No timer"
    spotlight: str = "Spotlight"
    spotlight_note: str = "one board on all screens"
    show_name: str = "Show the name"
    hide_name: str = "Hide the name"
    snapshot: str = "Snapshot"
    kept: str = "Kept."
    board_before: str = "Board before"
    board_next: str = "Next board"
    no_boards: str = "No board has a run yet."
    together: str = "Call together"
    set_free: str = "Set free"
    follow_on: str = "Follow me"
    follow_off: str = "Stop following"


@dataclass(frozen=True)
class VoteText:
    """The light page that only answers."""

    help: str = "Help"
    asked_help: str = "Asked for help"
    leave: str = "Leave"
    lost: str = "No connection. Trying again …"
    lost_act: str = "No connection. What you pressed is sent as soon as it is back."
    eyes: str = "Eyes up"
    eyes_note: str = "Look at your teacher."
    nothing: str = "Nothing is asked now"
    nothing_note: str = "A question appears here by itself."
    away: str = "Your teacher's devices are away"
    states: dict[str, str] = field(
        default_factory=lambda: {
            "open 1": "First vote",
            "closed 1": "The vote is closed. Talk to your neighbours.",
            "shown 1": "What the class says",
            "open 2": "Second vote: say it again or change your mind.",
            "closed 2": "The vote is closed.",
            "shown 2": "What the class says",
            "run": "The real run",
        }
    )
    you_said: str = "You said {answer}."
    can_change: str = "Answered. You can change it until the vote is closed."
    answered: str = "{n} of {of} have answered."
    send: str = "Answer"
    change: str = "Change the answer"
    between: str = "A number from {lo} to {hi}."
    draw: str = "Draw the curve with your finger."
    by_numbers: str = "Or with sliders"
    height_at: str = "Height at {x}"
    at_a_board: str = "This one is drawn in a chart: answer it on a board."
    ended: str = "This class is over"
    ended_note: str = "Nothing of it is kept here. The lessons stay open to you."
    elsewhere: str = "You go on in another tab"
    elsewhere_note: str = "This one has stopped."
    here: str = "Go on here"
    removed_note: str = "Your teacher took you out."
    left: str = "You have left the class"
    left_note: str = "You can join again with its code."
    lessons: str = "To the lessons"
    join: str = "Join again"


@dataclass(frozen=True)
class ClassText:
    """All sentences of a class's own pages."""

    title: Title = Title()
    every: Every = Every()
    start: Start = field(default_factory=Start)
    door: Door = field(default_factory=Door)
    wall: WallText = field(default_factory=WallText)
    question: QuestionText = field(default_factory=QuestionText)
    pace: PaceText = PaceText()
    send: SendText = SendText()
    board: BoardText = field(default_factory=BoardText)
    after: AfterText = AfterText()
    join: JoinText = JoinText()
    projector: ProjectorText = ProjectorText()
    pictures: PicturesText = field(default_factory=PicturesText)
    remote: RemoteText = RemoteText()
    vote: VoteText = field(default_factory=VoteText)


CLASS_TEXT = ClassText()
