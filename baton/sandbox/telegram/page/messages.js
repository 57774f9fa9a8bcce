// Messages as DOM nodes. Texts of bots and people only ever become text nodes.

export function element(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

// Only addresses that open a page or a mail: javascript: and data: stay text.
function safeAddress(address) {
  return /^(https?:|mailto:|tg:|tel:)/i.test(address) ? address : null;
}

function link(address, children) {
  const href = safeAddress(address);
  return href ? element("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children)
    : element("span", {}, ...children);
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
    position = to;
  }
  if (position < end) nodes.push(text.slice(position, end));
  return nodes;
}

function richText(text, entities, actions) {
  return element("div", { class: "text", dir: "auto" }, ...formatted(text, entities || [], 0, text.length, actions));
}

function attachment(message) {
  const address = (file) => `sandbox/files/${encodeURIComponent(file.file_id)}`;
  if (message.photo) {
    const photo = message.photo[message.photo.length - 1];
    return element("img", { class: "photo", src: address(photo), alt: message.caption || "Photo" });
  }
  for (const kind of ["voice", "audio"]) {
    if (message[kind]) {
      return element("audio", { controls: true, src: address(message[kind]), "aria-label": `${kind} message` });
    }
  }
  const file = message.document || message.video;
  if (!file) return null;
  return element("a", { class: "document", href: address(file), download: file.file_name || "file" },
    element("span", { class: "document-icon", "aria-hidden": "true" }, "▤"),
    element("span", {}, file.file_name || "File", element("small", {}, size(file.file_size))));
}

function inlineButton(button, message, actions) {
  const style = ["primary", "success", "danger"].includes(button.style) ? ` ${button.style}` : "";
  if (button.url) {
    const href = safeAddress(button.url);
    return element("a", { class: `key${style}`, href, target: "_blank", rel: "noopener noreferrer" },
      button.text, element("span", { "aria-hidden": "true" }, " ↗"));
  }
  if (button.copy_text) {
    const copy = () => actions.copy(button.copy_text.text || "");
    return element("button", { type: "button", class: `key${style}`, onclick: copy }, button.text);
  }
  if (button.callback_data === undefined) {
    return element("button", { type: "button", class: "key", disabled: true,
      title: "The sandbox cannot carry out this kind of button" }, button.text);
  }
  // By what it sends, not by its place: the message may be edited while the finger comes down.
  const press = (event) => actions.press(message.message_id, button.callback_data, event.currentTarget);
  return element("button", { type: "button", class: `key${style}`, onclick: press }, button.text);
}

function inlineKeyboard(message, actions) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows) return null;
  return element("div", { class: "inline-keyboard" }, ...rows.map((row) =>
    element("div", { class: "key-row" }, ...row.map((button) => inlineButton(button, message, actions)))));
}

export function summary(message) {
  const what = message.photo ? "Photo" : message.voice ? "Voice message" : message.document ? "File" : "Message";
  return message.text || message.caption || what;
}

export function messageNode(message, actions) {
  const isBot = message.from.is_bot;
  const text = message.text ?? message.caption;
  const entities = message.entities ?? message.caption_entities;
  const sent = new Date(message.date * 1000).toLocaleString();
  const reactions = (message.reactions || []).map((reaction) => reaction.emoji || "★").join(" ");
  const reply = message.reply_to_message;
  return element("article",
    { class: `message ${isBot ? "from-bot" : "from-person"}`, "data-id": message.message_id },
    element("div", { class: "bubble" },
      element("span", { class: "visually-hidden" }, `${message.from.first_name}: `),
      reply ? element("div", { class: "quote" }, summary(reply)) : null,
      attachment(message),
      text ? richText(text, entities, actions) : null,
      element("div", { class: "below" },
        reactions ? element("span", { class: "reactions" }, reactions) : null,
        message.edit_date ? element("span", { class: "edited" }, "edited") : null,
        element("time", { title: sent, datetime: new Date(message.date * 1000).toISOString() }, clock(message.date)))),
    inlineKeyboard(message, actions));
}
