# catalog
check-passed = 公布的参数量共 { $published } 个，其中 { $exact } 个由结构精确复算得出。没有发现问题。
check-failed = 公布的参数量共 { $published } 个，其中 { $exact } 个由结构精确复算得出。问题数：{ $faults }
check-count = { $id }：公布参数量 { $published }，按结构算得 { $counted }
check-name-twice = “{ $name }” 同时指 { $first } 和 { $second }
check-no-source = { $id }：缺少来源
check-no-gpu = instances：没有名为 “{ $gpu }” 的加速卡
check-no-format = { $id }：没有名为 “{ $format }” 的权重格式
check-unlikely = { $id }：{ $figure } 超出合理范围
