"""What bench/forms.py measures with: a form of each kind, and the clock."""
