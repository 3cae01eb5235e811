# 单位
unit-microseconds = µs
unit-milliseconds = ms
unit-seconds = s
unit-minutes = 分钟
unit-hours = 小时
unit-days = 天
unit-years = 年
