from typing import Any

import azure.durable_functions as df

app = df.DFApp()


@app.activity_trigger(input_name="payload")
def take(payload: dict[str, Any]) -> str:
    return str(payload)
