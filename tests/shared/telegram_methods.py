"""The methods of the Bot API that the bot calls: what Telegram may refuse."""

__all__ = ["ABOUT_CHATS", "AT_START", "IN_CONVERSATIONS", "STATUSES"]

STATUSES = (400, 403, 404, 429, 502)
# Each is refused in tests/scenarios/test_refusing_telegram.py.
ABOUT_CHATS = (
    "sendMessage",
    "sendPhoto",
    "editMessageText",
    "editMessageReplyMarkup",
    "deleteMessage",
    "sendChatAction",
)
IN_CONVERSATIONS = (*ABOUT_CHATS, "answerCallbackQuery", "getFile", "getChatMember", "setMyCommands")
# Each is refused in tests/integration/bot/test_start.py.
AT_START = ("getMe", "setMyCommands", "deleteWebhook", "setWebhook", "getUpdates")
