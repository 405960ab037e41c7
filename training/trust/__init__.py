"""What a config names that is not tacit's own, and is run only where its user says so.

- `outside_agents`: bots that a config would have run or called
- `live_doors`: those that answer while others learn: their doors, and what they will cost
- `own_code`: whether anything but tacit's own code decides a result
"""
