"""The house itself: do its rules hold, and would we notice if they did not?"""
