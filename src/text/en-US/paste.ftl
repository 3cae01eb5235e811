# paste: faults in what was pasted

paste-too-long = That is longer than { $limit } KiB. Paste the part that matters: the configuration, the command or the message.
paste-config-lacks = This config.json does not give { $fields }. Add them, or give the shape: custom layers=32 hidden=4096 heads=32 ffn=14336 vocab=128256
