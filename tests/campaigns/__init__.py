"""Campaigns: what is too long for the test suite, as commands; the tests run a short version of each."""
