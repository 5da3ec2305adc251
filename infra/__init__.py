"""What the services are run with; `infra.cluster` is the part that is a program."""
