"""What a run keeps on disk, and reading it back.

    run_folder      where a run keeps what
    run_lock        one writer a run
    seals           what a run seals, and whether it is still as it was sealed
    run_config      config.yaml; what may not be mixed in one run
    cards           incentives.json
    signature_files who stands behind objectives: documents and signatures of a run
    checkpoint      arrays and record of a repetition, with their hash
    atomic_files    files that are written all or not at all, JSON, sealed JSON
    finite          arrays that hold NaN or infinity
    legacy          names that earlier versions saved
    load_run        arms and learned policies read back
    machine         what a result was computed on

Functions are imported from these modules, one of which has the name of its function.
"""
