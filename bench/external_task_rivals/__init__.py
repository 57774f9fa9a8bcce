"""The parts of the external-task benchmark: the ground all stand on, and each client as it is meant to be used."""
