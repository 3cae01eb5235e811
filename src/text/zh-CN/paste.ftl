# paste

paste-too-long = 内容超过 { $limit } KiB。只贴关键部分即可：配置、启动命令或报错。
paste-config-lacks = 这份 config.json 缺少 { $fields }。补上这些字段，或直接给出结构：custom layers=32 hidden=4096 heads=32 ffn=14336 vocab=128256
