"""What bench/bot_steps.py measures with: a form, a crowd of people, and a bare bot to compare with."""
