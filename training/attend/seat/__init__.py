"""`tacit play --page`: a person plays a seat in the browser, with `PlaySession`.

| file | what |
|---|---|
| `seated.py` | a session as the page sees it, as JSON: what the seat sees, and nothing more |
| `app.py` | the routes, behind the same guard as those of `tacit attend` |
| `serve.py` | a port on this machine, until Ctrl-C |
| `page/` | seat.html, seat.css, seat.js |
"""
