"""What a person asks for: the YAML, the job kinds, the command line, the report."""
