"""What the service costs, beside a floor and beside what a user would write instead: ``make bench``.

No test: tests count (round trips, imports, bytes), this measures time. Figures of one run are compared with each other
and with nothing else.
"""
