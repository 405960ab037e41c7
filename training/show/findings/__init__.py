"""What a run found in plain words: five sentences, the key below its table, what words mean.

five_sentences         the end of `tacit train`
table_key              below the table of `tacit compare` and `tacit show`
explain_text           `tacit explain`
"""
