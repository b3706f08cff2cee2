"""Networks for prediction only, without Keras and faster: a graph, its parts, and what runs them.

`tracing` makes a graph of a Keras model, `assembly` stages of a graph and its weights, `predictor`
runs them.
"""
