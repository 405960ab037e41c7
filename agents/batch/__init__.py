"""What learners share whose policies stay fixed between two updates.

(It imports nothing: `--help` reads the configs in here, and a group takes a moment to import.)
"""
