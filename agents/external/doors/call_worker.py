"""A function of Python behind JSON lines. Run as a program, by path: it imports nothing of tacit.

    python call_worker.py my.module:act          with the folders to import from on the first line

What the function prints goes to standard error: standard output carries answers alone.
"""

import importlib
import json
import os
import sys


def main() -> None:
    """Import the function, say so, then answer one line after the other."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.path[:] = json.loads(sys.stdin.readline())

    def send(data: object) -> None:
        answers.write(json.dumps(data, default=_number) + "\n")
        answers.flush()

    module, _, path = sys.argv[1].partition(":")
    try:
        found = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
    except BaseException as error:
        send({"failed": f"{type(error).__name__}: {error}"})
        return
    if not callable(found):
        send({"failed": f"{sys.argv[1]} is not callable"})
        return
    send({"ready": True})
    for line in sys.stdin:
        question = json.loads(line)
        number = question.pop("id")
        try:
            answer = found(question)
            if not isinstance(answer, dict):
                answer = {"action": answer}
            send({**answer, "id": number})
        except Exception as error:
            send({"id": number, "failed": f"{type(error).__name__}: {error}"})


def _number(value: object) -> object:
    """A number or an array of NumPy, or of what else has `tolist`, as JSON holds it."""
    tolist = getattr(value, "tolist", None)
    if tolist is None:
        raise TypeError(f"{type(value).__name__} is no value of JSON")
    return tolist()


if __name__ == "__main__":
    main()
