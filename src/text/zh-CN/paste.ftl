# paste

paste-too-long = 内容超过 { $limit } KiB。只贴关键部分即可：配置、启动命令或报错。
paste-config-lacks = 这份 config.json 缺少 { $fields }。补上这些字段，或直接给出结构：custom layers=32 hidden=4096 heads=32 ffn=14336 vocab=128256
paste-broken = 这份 { $format } 在第 { $line } 行第 { $column } 列出错。请改好该处，或粘贴完整内容。
paste-too-deep = 嵌套超过 { $limit } 层。
paste-aliases = 这些 YAML 别名展开后太大，请把它们代表的内容直接写出来再粘贴。
paste-config-impossible = 这份 config.json 描述的模型不可能存在，请检查 { $field }。
