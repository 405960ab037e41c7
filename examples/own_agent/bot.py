"""A bot that undercuts its cheapest rival by one step: JSON lines in, JSON lines out.

tacit tabulate "python examples/own_agent/bot.py" cloud_bandwidth --seat provider_0
"""

import json
import sys

for line in sys.stdin:
    question = json.loads(line)
    seen = [price for name, price in question["observation"].items() if name != "phase"]
    prices = [action["price"] for action in question["actions"]]
    below = [price for price in prices if price < min(seen)]
    answer = {"id": question["id"], "action": {"price": max(below, default=min(prices))}}
    print(json.dumps(answer), flush=True)
