# knobs
