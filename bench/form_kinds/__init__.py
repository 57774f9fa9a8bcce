"""What bench/form_steps.py measures with: a form of each kind, and the clock."""
