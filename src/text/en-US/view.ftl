# Units
unit-microseconds = µs
unit-milliseconds = ms
unit-seconds = s
unit-minutes = min
unit-hours = h
unit-days = days
unit-years = years
