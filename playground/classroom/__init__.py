"""The live class: students join with a code, a teacher sees every board, sets the pace and asks questions.

A class lives in the process that serves it. Nothing here knows of sockets, pages or the engine:

    codes, tokens, names      what a class, its people and its devices are called
    register                  the classes of one server, and its limits
    classroom                 one class: what each event changes
    votes, questions          one vote; where its question comes from
    commands                  what a browser may send, checked field by field
    views, feed               what each role may see, and when it is sent
    tiles                     what a run reports, and the bytes that the teacher's wall draws
    coming_back               how a class goes on after the server has restarted
    afterwards                the file that a teacher keeps
    messages                  every message and every sentence
"""
