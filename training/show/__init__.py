"""What the command line prints: tables, listings, a run's KPIs, policies in sentences, progress.

    terminal               console, tables that fit their page
    progress_bar           the bar of `tacit train`
    overview, listing      `tacit list`: everything by name; one name in detail
    config_keys            keys with default and bounds
    run_text               `tacit show`: a run, a learned policy
    policy_text            a policy in sentences, with `conduct_text`, `claim_text`, `decision_text`
    policy_table_text      a policy's table, line by line
    findings               what a run found in plain words, and what words mean

Nothing is exported here: each module is imported by the command that needs it, as most of them pull
in the numerics.
"""
