"""The commands: what people type. Text for people, `--json` for machines, errors that say what to do."""
