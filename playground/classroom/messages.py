"""What browsers and the server say to each other in a class, and the sentences that come from here.

All text messages are JSON objects. A browser's have "as" (the first one) or "do", the server's "is". Times (`at`,
`until`, ...) are seconds since 1970 on the server's clock.

**The first message of a browser**, within five seconds:

    {"as": "join"}                                             looks at the door; answered by `door`
    {"as": "student", "token", "kept"?, "answers"?: [...]}     a seat; `kept` and `answers` as the server gave them
    {"as": "teacher", "token", "view", "fresh"?, "keep"?}      view: "wall", "remote" or "board"; `fresh`: this browser
                                                               has come by the private link and needs a token of its own
    {"as": "pair", "token", "view"}                            with the token of a pairing picture, once
    {"as": "projector", "token"}

**Then** what `commands.FIELDS` lists for its role: each command with its fields and what they may be.

**The server to all**

    {"is": "welcome", "role", "code", "now", "token"?, "lessons"?}    `token` is to be kept
    {"is": "state", "rev", ...}                                       all of what this role may know (`views`)
    {"is": "count", "answered", "of", "joined"}                       at most once a second
    {"is": "refused", "do", "why", "say"}                             `why` is a key of REFUSED
    {"is": "ended"}                                                   what was kept for this class is to be dropped
    {"is": "here"}                                                    the answer to {"do": "here"}: the line is alive

**To a student**: `door` {open, full, line, names, offer, length}, `same` {name}, `waiting`, `returning` (after a
restart the teacher's state has not come yet), `seat` {seat, name, token, kept}, `receipt` {vote, n, answer, receipt,
closed}, and while the class sees them `dots`, `curves`, `leaders`.

**To a teacher**: `seats` {all, seats, gone}, `keep` {keep}, `peek` {vote, result}, `pair` {token, seconds}, `token`
{token}, `snapshot` {id}, and tiles (binary; `tiles` has the bytes). **To the projector**: `dots`, `curves`, `leaders`.

    {"is": "dots", "x", "y", "dots": [[id, x, y, plays], ...]}             one for each run; y is null where it diverged
    {"is": "curves", "curves": [[id, steps, base64 of two bytes for each loss], ...]}
    {"is": "leaders", "accuracy", "parameters", "dots": [[id, parameters, accuracy, reached, name or null], ...]}
                       all three of one lesson's runs: with its "page" and "title", and "of", the number of students
    {"is": "runs", "vote", "at", "seconds", "runs": [...]}                 after Play: recordings (`views.runs`), to be
                                                                           played from `at` on, in this time

A websocket is closed with one of CLOSED.
"""

from __future__ import annotations

CLOSED = {
    "bad": 4400,  # a message that cannot be read
    "void": 4401,  # the token is wrong, or was taken back
    "no class": 4404,
    "no seat": 4405,  # of this student
    "slow": 4408,  # no first message, or a browser that does not read
    "elsewhere": 4409,  # the seat goes on in another tab
    "ended": 4410,
    "too many": 4429,  # messages, or wrong codes; the reason is the seconds to wait
}
LEFT = 1000

REFUSED = {
    "role": "Only your teacher can do that.",
    "field": "The server did not understand that.",
    "state": "Something has changed. Look again.",
    "fast": "Too fast. Try again in a moment.",
    "full": "All places are taken.",
    "door": "The door is closed.",
    "name": "Please choose another name.",
    "few": "With fewer than {few} answers people may guess who said what. Show them?",
    "gone": "That student is no longer here.",
    "wait": "The class is coming back. Wait a few seconds.",
    "question": "This experiment asks no question.",
    "busy": "A question is open. Close it first.",
    "no run": "No run is on this board yet.",
    "no snapshot": "The run could not be saved.",
    "many": "{most} snapshots are kept already.",
    "names": "The kind of names can only be chosen before somebody has joined, and the server may forbid some.",
}
WHY_NOT_STARTED = {
    "code": "This code is in use. Try another.",
    "body": "The server did not understand the settings of the class.",
    "full": "The server has {most} classes already. Try again later.",
    "none": "This server does not run classes.",
    "fast": "Too many classes were started from your network. Wait a minute.",
}
NOT_YOURS = "This file is for the teacher of a running class."

# What stands beside Undo, and in the list of the last acts.
ACTS = {
    "send": "Sent all to {title}",
    "send some": "Sent {count} to {title}",
    "free": "Set all free",
    "lock": "Settings locked",
    "unlock": "Settings unlocked",
    "eyes": "Eyes up",
    "eyes off": "Boards go on",
    "follow": "All follow you",
    "follow off": "Own boards again",
    "spot": "{name} on all screens",
    "spot off": "Own boards again",
    "take out": "Took {name} out",
    "take out new": "Took {count} out, door closed",
    "let back": "Let {name} back in",
    "rename": "Renamed {name}",
    "door": "Door opened",
    "door off": "Door closed",
    "ask": "Question asked",
    "show": "Result shown",
    "play": "Real run started",
}

# The file.
COLUMNS = {
    "name": "name",
    "number": "number",
    "first": "question {number}, first vote",
    "second": "question {number}, second vote",
    "right": "question {number}, right",
    "lesson": "lesson",
    "step": "step",
    "loss": "loss",
    "rate": "learning rate",
    "accuracy": "accuracy",
    "units": "units",
    "helps": "asked for help",
}
YES, NO = "yes", "no"
FILE_NAME = "class-{code}.csv"
SNAPSHOT_NAME = "{page}-step-{step}.safetensors"
