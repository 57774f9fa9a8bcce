"""A Telegram for development: the Bot API for one bot, a JSON interface for the people, and a chat page in the browser.

Private chats and groups; everything is kept in memory. `python -m baton.sandbox.telegram --port 8081 --token 1:secret`.
"""
