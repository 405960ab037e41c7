"""Acts of people on a run that trains, one way for all of them: a Unix socket.

control         what holds a run that trains, and who asked for it
gate            where a repetition is held between two rounds
acts            the acts: what each needs, does and answers
protocol        requests and envelopes, checked whole
server          the socket of a run that trains
client          one act, sent and answered
runtime_folder  where the sockets of a user lie
"""
