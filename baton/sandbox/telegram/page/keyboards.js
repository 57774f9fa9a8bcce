// Buttons: those under a message, and the keyboard that takes the place of the phone's own.

import { element, safeAddress } from "./dom.js";

function inlineButton(button, message, actions) {
  const style = ["primary", "success", "danger"].includes(button.style) ? ` ${button.style}` : "";
  const labelled = { type: "button", class: `key${style}` };
  if (button.url) {
    return element("a", { class: `key${style}`, href: safeAddress(button.url), target: "_blank",
      rel: "noopener noreferrer" }, button.text, element("span", { "aria-hidden": "true" }, "↗"));
  }
  if (button.web_app) {
    return element("button", { ...labelled, onclick: () => actions.openApp(button.text, button.web_app.url) },
      button.text, element("span", { "aria-hidden": "true" }, "▣"));
  }
  if (button.copy_text) {
    return element("button", { ...labelled, onclick: () => actions.copy(button.copy_text.text || "") }, button.text);
  }
  if (button.callback_data === undefined) {
    return element("button", { ...labelled, disabled: true, title: "The sandbox cannot carry out this kind of button" },
      button.text);
  }
  // By what it sends, not by its place: the message may be edited while the finger comes down.
  const press = (event) => actions.press(message.message_id, button.callback_data, event.currentTarget);
  return element("button", { ...labelled, onclick: press }, button.text);
}

function rowsOf(rows, drawn) {
  return rows.map((row) => element("div", { class: "key-row" }, ...row.map(drawn)));
}

export function inlineKeyboard(message, actions) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows) return null;
  return element("div", { class: "inline-keyboard" }, ...rowsOf(rows, (button) => inlineButton(button, message, actions)));
}

const PLAIN = new Set(["text", "style", "icon_custom_emoji_id"]);

export function replyKeyboard(rows, actions) {
  return rowsOf(rows, (button) => {
    const isPlain = Object.keys(button).every((key) => PLAIN.has(key));
    const act = button.request_contact ? actions.sendContact
      : button.request_location ? actions.sendLocation
      : button.web_app ? () => actions.openApp(button.text, button.web_app.url)
      : isPlain ? () => actions.say(button.text) : null;
    return element("button", { type: "button", class: "key", disabled: !act, onclick: act,
      title: act ? null : "The sandbox cannot carry out this kind of button" }, button.text);
  });
}

// Whether a markup that may be "selective" is meant for this person: named in the text, or replied to.
function isMeantFor(message, user) {
  if (!message.reply_markup.selective || message.chat.type === "private") return true;
  if (message.reply_to_message?.from.id === user.id) return true;
  const text = message.text || message.caption || "";
  return (message.entities || message.caption_entities || []).some((entity) => entity.user?.id === user.id
    || (entity.type === "mention" && text.substr(entity.offset, entity.length) === `@${user.username}`));
}

// The keyboard and the message that forces a reply, as they stand for this person after all these messages.
export function standingMarkup(messages, user) {
  let keyboard = null;
  let forced = null;
  for (const message of messages) {
    const markup = message.reply_markup;
    if (message.from.id === user.id) {
      forced = null;
      if (keyboard?.one_time_keyboard) keyboard = null;
    } else if (markup && isMeantFor(message, user)) {
      if (markup.keyboard) keyboard = markup;
      if (markup.remove_keyboard) keyboard = null;
      if (markup.force_reply) forced = message;
    }
  }
  return { keyboard, forced };
}
