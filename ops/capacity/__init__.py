"""How many jobs the app carries, what bounds it, what moves the bound, and what it costs.

A discrete-event simulation of the way of a job through webhook, task hub, activities, Azure DevOps,
the model and the database. `scenario` is what is simulated, `simulation` runs it, `bottleneck`
relaxes what jobs wait for and runs it again, `cost` prices it, `command` is `python -m ops
capacity`. Times of the app's own steps are measured (`calibration.json`, written by
`python -m benchmarks.load --calibrate`). It never calls the app, Azure or a model.
"""
