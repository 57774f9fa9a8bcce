"""What bench/bot.py measures with: a form, a crowd of people, and a bare bot to compare with."""
