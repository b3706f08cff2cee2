"""Networks as rivals: those that the paper names, and our own.

Importing this package does not import Keras; building a network does.
"""
