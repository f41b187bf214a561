"""The documentation's pages, and what makes those that follow from the code."""
