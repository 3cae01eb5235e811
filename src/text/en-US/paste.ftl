# paste: faults in what was pasted

paste-too-long = That is longer than { $limit } KiB. Paste the part that matters: the configuration, the command or the message.
paste-config-lacks = This config.json does not give { $fields }. Add them, or give the shape: custom layers=32 hidden=4096 heads=32 ffn=14336 vocab=128256
paste-broken = This { $format } breaks at line { $line }, column { $column }. Mend it there, or paste it whole.
paste-too-deep = That is nested deeper than { $limit } levels.
paste-aliases = These YAML aliases stand for too much. Paste the file with what they stand for written out.
paste-config-impossible = This config.json describes no model that can be: look at { $field }.
