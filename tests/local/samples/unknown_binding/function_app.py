"""An app that this host cannot run: it listens to a queue."""

import azure.functions as func

app = func.FunctionApp()


@app.queue_trigger(arg_name="message", queue_name="orders", connection="AzureWebJobsStorage")
def take_order(message: func.QueueMessage) -> None:
    """Take an order."""
