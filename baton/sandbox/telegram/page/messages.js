// Messages as DOM nodes.

import { attachment, summary } from "./attachments.js";
import { element, link } from "./dom.js";
import { inlineKeyboard } from "./keyboards.js";

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function spoiler(children) {
  const node = element("span", { class: "spoiler", role: "button", tabindex: "0", "aria-label": "Hidden text, show" },
    ...children);
  const reveal = () => {
    node.classList.add("revealed");
    for (const name of ["role", "tabindex", "aria-label"]) node.removeAttribute(name);
  };
  node.addEventListener("click", reveal);
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); reveal(); }
  });
  return node;
}

const PLAIN_TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", blockquote: "blockquote",
  expandable_blockquote: "blockquote",
};

function entityNode(entity, text, children, actions) {
  if (PLAIN_TAGS[entity.type]) return element(PLAIN_TAGS[entity.type], {}, ...children);
  switch (entity.type) {
    case "pre": return element("pre", { "data-language": entity.language }, element("code", {}, ...children));
    case "spoiler": return spoiler(children);
    case "text_link": return link(entity.url, children);
    case "url": return link(/^[a-z]+:/i.test(text) ? text : `http://${text}`, children);
    case "email": return link(`mailto:${text}`, children);
    case "bot_command":
      return element("button", { type: "button", class: "command", onclick: () => actions.say(text) }, ...children);
    case "mention": case "hashtag": case "text_mention":
      return element("span", { class: "mention" }, ...children);
    default: return element("span", {}, ...children);
  }
}

// They stand on lines of their own, which the line break behind them has ended already.
const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);

// Entities nest; they come ordered by offset, the outer one first. JavaScript counts in UTF-16 as Telegram does.
function formatted(text, entities, start, end, actions) {
  const nodes = [];
  let position = start;
  let index = 0;
  while (index < entities.length) {
    const entity = entities[index];
    const from = Math.max(entity.offset, position);
    const to = Math.min(entity.offset + entity.length, end);
    index += 1;
    if (to <= from) continue;
    const inner = [];
    while (index < entities.length && entities[index].offset < to) inner.push(entities[index++]);
    if (from > position) nodes.push(text.slice(position, from));
    const children = formatted(text, inner, from, to, actions);
    nodes.push(entityNode(entity, text.slice(from, to), children, actions));
    position = BLOCKS.has(entity.type) && text[to] === "\n" ? Math.min(to + 1, end) : to;
  }
  if (position < end) nodes.push(text.slice(position, end));
  return nodes;
}

function richText(text, entities, actions) {
  return element("div", { class: "text", dir: "auto" }, ...formatted(text, entities || [], 0, text.length, actions));
}

function serviceText(message) {
  const names = (people) => people.map((person) => person.first_name).join(", ");
  if (message.new_chat_members) {
    const [first] = message.new_chat_members;
    return first.id === message.from.id ? `${first.first_name} came in`
      : `${message.from.first_name} added ${names(message.new_chat_members)}`;
  }
  if (message.left_chat_member) {
    return message.left_chat_member.id === message.from.id ? `${message.from.first_name} left`
      : `${message.from.first_name} removed ${message.left_chat_member.first_name}`;
  }
  return null;
}

function below(message, actions) {
  const sent = new Date(message.date * 1000);
  const reactions = (message.reactions || []).map((reaction) => reaction.emoji || "★").join(" ");
  const reply = () => actions.reply(message);
  return element("div", { class: "below" },
    reactions ? element("span", { class: "reactions" }, reactions) : null,
    message.edit_date ? element("span", { class: "edited" }, "edited") : null,
    element("button", { type: "button", class: "reply-button", onclick: reply, "aria-label": "Reply to this message",
      title: "Reply" }, "↩"),
    element("time", { title: sent.toLocaleString(), datetime: sent.toISOString() }, clock(message.date)));
}

function author(message, isGroup) {
  const from = message.from;
  const name = element("span", { class: isGroup ? `author a${from.id % 6}` : "visually-hidden" },
    isGroup ? from.first_name : `${from.first_name}: `);
  const origin = message.forward_origin?.sender_user;
  return origin ? [name, element("div", { class: "forwarded" }, `Forwarded from ${origin.first_name}`)] : [name];
}

// `viewer` is the id of the person whose screen this is: their own messages stand on the right.
export function messageNode(message, viewer, actions) {
  const service = serviceText(message);
  const id = message.message_id;
  if (service) return element("p", { class: "service", "data-id": id }, service);
  const isOwn = message.from.id === viewer;
  const text = message.text ?? message.caption;
  const entities = message.entities ?? message.caption_entities;
  const reply = message.reply_to_message;
  const isGroup = message.chat.type !== "private";
  const classes = ["message", isOwn ? "from-person" : message.from.is_bot ? "from-bot" : "from-other"];
  if (message.reply_markup?.inline_keyboard) classes.push("has-keyboard");
  return element("article",
    { class: classes.join(" "), "data-id": id },
    element("div", { class: "bubble" },
      ...author(message, isGroup && !isOwn),
      reply ? element("div", { class: "quote" }, summary(reply)) : null,
      attachment(message),
      text ? richText(text, entities, actions) : null,
      below(message, actions)),
    inlineKeyboard(message, actions));
}
