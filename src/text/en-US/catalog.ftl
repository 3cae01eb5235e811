# catalog
check-passed = { $exact } of { $published } published parameter counts recomputed exactly. No fault.
check-failed = { $exact } of { $published } published parameter counts recomputed exactly. Faults: { $faults }
check-count = { $id }: { $published } parameters published, { $counted } counted from the shape
check-name-twice = "{ $name }" names both { $first } and { $second }
check-no-source = { $id }: no source
check-no-gpu = instances: no accelerator "{ $gpu }"
check-no-format = { $id }: no weight format "{ $format }"
check-unlikely = { $id }: { $figure } is out of range
