"""The live class: students join with a code, a teacher sees every board, sets the pace and asks questions.

A class lives in the process that serves it. Nothing here knows of sockets, pages or the engine:

    codes, tokens, names      what a class, its people and its devices are called
    register                  the classes of one server, and its limits
    classroom, records        one class: what each event changes, and what it consists of
    votes, questions          one vote; where its question comes from
    commands, orders          what a browser may send, checked field by field, and what it does
    connections, views, feed  a browser; what each role may see, and when it is sent
    tiles                     what a run reports, and the bytes that the teacher's wall draws
    coming_back, receipts     how a class goes on after the server has restarted
    rates                     how often something may happen
    afterwards                the file that a teacher keeps
    messages                  every message and every sentence
"""
