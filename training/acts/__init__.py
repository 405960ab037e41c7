"""Acts of people on a run that trains, one way for all of them: a Unix socket.

control         what holds a run that trains, and who asked for it
gate            where a repetition is held between two rounds, and carries out orders
remote_gate     the gate of a repetition in a worker process
acts            the acts: what each needs, does and answers
changing        an act that changes what is learned, in all repetitions that are meant or in none
forks           rollback, reweight, redirect: a branch begins
forcing         override, veto: a round is played with another action
seed_acts       acts in one repetition: looked at, carried out, kept with its saves
schedule        changes that the ledger holds, to which a repetition comes at their rounds
protocol        requests and envelopes, checked whole
words           words of the command line as the values of a request
server          the socket of a run that trains
client          one act, sent and answered
runtime_folder  where the sockets of a user lie

Requests, replies and messages call a repetition `seed`, as the command line does.
"""
