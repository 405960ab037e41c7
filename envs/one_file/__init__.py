"""Markets that are one file each, in the same order of parts as `tacit.envs.cheap_talk`."""
