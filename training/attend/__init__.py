"""The control room of a run that trains: a local page that is only a client of the run's socket.

facts        what does not change while it trains: question, KPIs in words, benchmarks
watch        what changes: asked of the socket and of the ledger ten times a second
standings    how every repetition stood when it was saved last
looks        looks into the run's folder that take seconds, in a process of their own
reading/     what is read there
earlier      curves from before the page was opened, from event files
ledger_rows  entries of the ledger as rows
guard        who may ask: this machine's own page with its token; headers of every answer
events       the stream that every page follows
app          the routes: the page's files, acts
serve        a port on this machine, and the browser
page/        index.html, room.css, and a module a section; room.js holds them together
seat/        `tacit play --page`: a seat in the browser
"""
