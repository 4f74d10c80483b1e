"""What the commands in scripts/aws/ share. Python 3.9's standard library, and the `aws` CLI.

call       one call of the CLI, and what its failures mean
command    options, confirmation, output and exit codes
place      which cluster, service, task definition and log streams are meant
change     new revisions, updates of a service, and waiting for it to be steady
leak       leaksim's options, checked before AWS is asked; pure
recording  events out of log streams
shape      leak, burst or plateau, from a series of samples
diagnosis  from facts to a finding and the next command; pure
sizes      what Fargate sells
"""
