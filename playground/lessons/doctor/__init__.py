"""The doctor: names the cause of what a training shows, by an ordered list of rules, with its evidence in numbers.

    script, or a run of a lesson  ->  evidence (a frozen record of what was observed)  ->  the first rule that applies

`watch.py` observes any torch code while it trains, `evidence.py` says what it reports, `rules.py` has the order of the
rules, `words.py` their sentences. The narrators of the lessons use the same rules, with advice for their own page.
"""
