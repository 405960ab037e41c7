"""A bot that speaks JSON lines badly: python rude_bot.py HOW."""

import json
import sys
import time

HOW = sys.argv[1]


def send(text, end="\n"):
    sys.stdout.write(text + end)
    sys.stdout.flush()


if HOW == "never starts":
    sys.exit("no licence \x1b[31mfound")
if HOW == "never reads":
    time.sleep(60)
held = []
for line in sys.stdin:
    question = json.loads(line)
    number = question["id"]
    answer = json.dumps({"id": number, "action": 0})
    if HOW == "dies":
        sys.exit(3)
    elif HOW == "prints to stdout":
        send("thinking \x1b[2J ...")
        send(answer)
    elif HOW == "wrong id":
        send(json.dumps({"id": number + 1000, "action": 0}))
    elif HOW == "half a JSON":
        send('{"id": 1, "action"')
    elif HOW == "hangs":
        time.sleep(60)
    elif HOW == "wall of text":
        send("x" * 3_000_000)
    elif HOW == "illegal":
        send(json.dumps({"id": number, "action": {"price": 1e9}}))
    elif HOW == "not a number":
        send(json.dumps({"id": number, "probabilities": [float("nan"), 1, 0, 0, 0]}))
    elif HOW == "refuses":
        send(json.dumps({"id": number, "refuse": "<b>no</b>\x1b[31m"}))
    elif HOW == "in pairs backwards":
        held.append(answer)
        if len(held) == 2:
            send(held[1])
            send(held[0])
            held = []
