"""The messages of the tests."""
