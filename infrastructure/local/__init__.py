"""The local stack: AWS on this machine alone, deployed from the same ``template.yaml`` as on AWS.

``run`` is the command. Following a start: ``stack`` → ``ministack`` (the server process, which is ``server`` with
``edge`` in front) → ``package`` (code to archives) → ``deploy`` (CloudFormation) → ``gateway`` (what ministack drops).
"""
