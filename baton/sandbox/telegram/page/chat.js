// The chat page: people on the left, the chosen one's chat with the bot on the right.

import { api, listen } from "./network.js";
import { element, messageNode, summary } from "./messages.js";
import { Notices } from "./notices.js";

const $ = (id) => document.getElementById(id);
const ANSWER_MS = 15000;
const TYPING_MS = 5000;
const notices = new Notices($("banners"), $("toast"), $("alert"), $("alert-text"));
const users = new Map(); // by id
const chats = new Map(); // by id, those that were opened once
let bot = null;
let current = null;
let replyTo = null;
let answerTimer = null;
let typingTimer = null;

const actions = { say, press, copy };

async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    notices.banner("refused", error.message);
    return null;
  }
}

// ---- people

function addUser(user) {
  users.set(user.id, { unread: users.get(user.id)?.unread || 0, ...user });
  drawUsers();
  if (user.id === current) drawHead();
}

function userNode(user) {
  const details = [user.language_code, user.blocked ? "bot blocked" : null].filter(Boolean).join(" · ");
  return element("li", {}, element("button",
    { type: "button", class: "user", "aria-current": user.id === current ? "true" : "false",
      onclick: () => select(user.id) },
    element("span", { class: `avatar c${user.id % 6}`, "aria-hidden": "true" }, [...user.name][0].toUpperCase()),
    element("span", {}, user.name, element("small", {}, details)),
    user.unread ? element("span", { class: "unread", "aria-label": `${user.unread} new` }, String(user.unread)) : null));
}

let isDrawingUsers = false;

// At most once per frame: a program may add hundreds of people at once.
function drawUsers() {
  if (isDrawingUsers) return;
  isDrawingUsers = true;
  requestAnimationFrame(() => {
    isDrawingUsers = false;
    $("user-list").replaceChildren(...[...users.values()].map(userNode));
    $("people-toggle-name").textContent = users.get(current)?.name || "Choose a person";
  });
}

function openPeople(open) {
  $("people").classList.toggle("open", open);
  $("people-toggle").setAttribute("aria-expanded", String(open));
}

async function select(id) {
  current = id;
  users.get(id).unread = 0;
  const url = new URL(location.href);
  url.searchParams.set("user", id);
  history.replaceState(null, "", url);
  setReply(null);
  stopWaiting();
  showTyping(null);
  openPeople(false);
  drawUsers();
  await attempt(async () => {
    await Promise.all([loadChat(id), loadBot()]);
    if (current === id) drawChat();
  });
  if (current === id && matchMedia("(pointer: fine)").matches) $("text").focus();
}

// ---- chats

async function loadChat(id) {
  const chat = chats.get(id) || { messages: new Map(), keyboard: null, forced: null, last: 0, pending: null };
  const arriving = chat.pending = []; // what comes meanwhile is later than the answer
  chats.set(id, chat);
  try {
    const page = await api(`chats/${id}/messages?after=${chat.last}`);
    for (const event of page.events) keep(chat, event);
  } finally {
    for (const event of arriving) keep(chat, event);
    if (chat.pending === arriving) chat.pending = null;
  }
}

// Put an event into what is known of a chat; false when it was known already.
function keep(chat, event) {
  if (event.id <= chat.last) return false;
  chat.last = event.id;
  const message = event.message;
  if (event.kind === "delete") {
    chat.messages.delete(message.message_id);
  } else if (["message", "edit", "reaction"].includes(event.kind)) {
    chat.messages.set(message.message_id, message);
    if (event.kind === "message") keepMarkup(chat, message);
  }
  return true;
}

function keepMarkup(chat, message) {
  const markup = message.reply_markup || {};
  if (!message.from.is_bot) {
    chat.forced = null;
    if (chat.keyboard?.one_time_keyboard) chat.keyboard = null;
  } else if (markup.keyboard) {
    chat.keyboard = markup;
  } else if (markup.remove_keyboard) {
    chat.keyboard = null;
  }
  if (markup.force_reply) chat.forced = message;
}

function onEvent(event) {
  if (event.kind === "user") return addUser(event.message);
  if (event.kind === "bot") return attempt(async () => { await loadBot(); drawHead(); });
  if (event.kind === "reset") return restart();
  if (["group", "switches", "press", "block"].includes(event.kind)) return undefined;
  const chat = chats.get(event.chat_id);
  if (chat?.pending) return chat.pending.push(event);
  const isNew = !chat || keep(chat, event);
  if (!isNew) return undefined;
  if (event.chat_id !== current) return event.kind === "message" ? markUnread(event) : undefined;
  return showEvent(chat, event);
}

function markUnread(event) {
  const user = users.get(event.chat_id);
  if (!user || !event.message.from.is_bot) return;
  user.unread += 1;
  drawUsers();
}

function showEvent(chat, event) {
  const message = event.message;
  const isFromBot = event.kind !== "message" || message.from.is_bot;
  if (isFromBot) stopWaiting();
  if (event.kind === "action") return showTyping(message.action);
  if (event.kind === "alert" || !chat) return undefined;
  if (event.kind === "delete") return nodeOf(message.message_id)?.remove();
  const isAtEnd = $("log").scrollHeight - $("log").scrollTop - $("log").clientHeight < 120;
  const old = nodeOf(message.message_id);
  const node = drawnMessage(message);
  if (old) replaceKeepingFocus(old, node);
  else $("log").append(node);
  if (event.kind === "message") drawComposer(chat);
  if (isFromBot && event.kind !== "reaction") showTyping(null); // what was typed is there now
  if (isAtEnd || !isFromBot) scrollToEnd();
  return undefined;
}

function nodeOf(id) {
  return $("log").querySelector(`[data-id="${Number(id)}"]`);
}

// A pressed button's message is often edited at once: who uses the keyboard stays at the same place.
function replaceKeepingFocus(old, node) {
  const keys = [...old.querySelectorAll(".key")];
  const index = keys.indexOf(document.activeElement);
  old.replaceWith(node);
  if (index >= 0) {
    const now = node.querySelectorAll(".key");
    (now[Math.min(index, now.length - 1)] || $("text")).focus({ preventScroll: true });
  }
}

function drawnMessage(message) {
  const node = messageNode(message, actions);
  node.classList.toggle("has-keyboard", Boolean(message.reply_markup?.inline_keyboard));
  for (const picture of node.querySelectorAll("img")) picture.addEventListener("load", scrollToEnd);
  return node;
}

function scrollToEnd() {
  $("log").scrollTop = $("log").scrollHeight;
}

function drawChat() {
  const chat = chats.get(current);
  for (const id of ["chat-head", "log", "composer"]) $(id).hidden = false;
  $("nobody").hidden = true;
  $("log").replaceChildren(...[...chat.messages.values()].map(drawnMessage));
  drawHead();
  drawComposer(chat);
  scrollToEnd();
}

// ---- the bot, the head and the composer

async function loadBot() {
  const language = users.get(current)?.language_code || "";
  bot = await api(`bot?language_code=${encodeURIComponent(language)}`);
}

function drawHead() {
  const user = users.get(current);
  if (!user || !bot) return;
  document.title = `${bot.first_name} – Telegram sandbox`;
  $("bot-name").textContent = bot.first_name;
  $("bot-avatar").textContent = [...bot.first_name][0].toUpperCase();
  $("bot-avatar").className = "avatar bot";
  if (!typingTimer) $("chat-status").textContent = `you are ${user.name} (${user.language_code}) · @${bot.username}`;
  $("block").textContent = user.blocked ? "Unblock" : "Block";
  $("bot-description").textContent = bot.description || bot.short_description || "No messages here yet.";
  $("start-panel").hidden = chats.get(current)?.messages.size > 0;
  $("commands").replaceChildren(...bot.commands.map((command) => element("button",
    { type: "button", onclick: () => { toggleCommands(false); say(`/${command.command}`); } },
    `/${command.command}`, element("small", {}, command.description))));
  $("commands-toggle").hidden = bot.commands.length === 0;
}

function toggleCommands(open) {
  $("commands").hidden = !open;
  $("commands-toggle").setAttribute("aria-expanded", String(open));
}

function drawComposer(chat) {
  $("start-panel").hidden = chat.messages.size > 0;
  const rows = chat.keyboard?.keyboard || [];
  $("keyboard").hidden = rows.length === 0;
  $("keyboard").replaceChildren(...rows.map((row) => element("div", { class: "key-row" }, ...row.map(replyKey))));
  if (chat.forced?.message_id !== replyTo?.message_id) setReply(chat.forced);
  const placeholder = (chat.forced || { reply_markup: chat.keyboard }).reply_markup?.input_field_placeholder;
  $("text").placeholder = placeholder || "Message";
}

function replyKey(button) {
  const isText = Object.keys(button).every((key) => ["text", "style", "icon_custom_emoji_id"].includes(key));
  return element("button", { type: "button", class: "key", disabled: !isText, onclick: () => say(button.text),
    title: isText ? null : "The sandbox cannot carry out this kind of button" }, button.text);
}

function setReply(message) {
  replyTo = message;
  $("reply-bar").hidden = !message;
  $("reply-text").textContent = message ? `Reply to: ${summary(message)}` : "";
  if (message) $("text").focus();
}

function showTyping(action) {
  clearTimeout(typingTimer);
  typingTimer = null;
  if (action) {
    $("chat-status").textContent = action === "typing" ? "is typing…" : `${action.replaceAll("_", " ")}…`;
    typingTimer = setTimeout(() => showTyping(null), TYPING_MS);
  } else {
    drawHead();
  }
}

function waitForBot() {
  clearTimeout(answerTimer);
  answerTimer = setTimeout(() => notices.banner("silent",
    `The bot has not answered for ${ANSWER_MS / 1000} s. Is it running, and with this sandbox's address and token?`),
  ANSWER_MS);
}

function stopWaiting() {
  clearTimeout(answerTimer);
  notices.remove("silent");
}

// ---- what the person does

async function say(text) {
  const body = { text };
  if (replyTo) body.reply_to = replyTo.message_id;
  return send("text", body);
}

async function send(what, body) {
  const answered = replyTo;
  waitForBot();
  const sent = await attempt(() => api(`users/${current}/${what}`, body));
  if (sent) {
    notices.remove("refused");
    if (replyTo === answered) setReply(null);
  } else {
    stopWaiting();
  }
  return sent !== null;
}

async function press(messageId, data, button) {
  const presser = current;
  button.classList.add("pressing");
  button.setAttribute("aria-busy", "true");
  await attempt(async () => {
    const { answer } = await api(`users/${presser}/press`, { message_id: messageId, data });
    notices.remove("refused");
    if (answer === null) {
      notices.banner("silent", "The bot did not answer the press within 15 s. Is it running?");
    } else {
      stopWaiting();
      if (answer.text && answer.show_alert) notices.alert(answer.text);
      else if (answer.text) notices.toast(answer.text);
    }
  });
  button.classList.remove("pressing");
  button.removeAttribute("aria-busy");
}

async function copy(text) {
  await attempt(() => navigator.clipboard.writeText(text));
  notices.toast("Copied");
}

async function sendFile(file) {
  const form = new FormData();
  form.append("file", file);
  const caption = $("text").value.trim();
  if (caption) form.append("caption", caption);
  if (replyTo) form.append("reply_to", replyTo.message_id);
  if (await send("file", form)) $("text").value = "";
}

// ---- start

async function loadUsers() {
  const known = await api("users");
  users.clear();
  for (const user of known.users) users.set(user.id, { unread: 0, ...user });
  drawUsers();
}

async function restart() {
  chats.clear();
  current = null;
  for (const id of ["chat-head", "log", "composer", "start-panel"]) $(id).hidden = true;
  $("nobody").hidden = false;
  openPeople(true);
  await attempt(loadUsers);
}

function bind() {
  $("add-user").addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = { name: $("new-name").value, language_code: $("new-language").value.trim() };
    const user = await attempt(() => api("users", body));
    if (!user) return;
    notices.remove("refused");
    $("new-name").value = "";
    addUser(user);
    await select(user.id);
  });
  $("say").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = $("text").value;
    if (text.trim() && await say(text) && $("text").value === text) $("text").value = "";
  });
  $("text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $("say").requestSubmit();
  });
  $("file").addEventListener("change", async () => {
    const [file] = $("file").files;
    if (file) await sendFile(file);
    $("file").value = "";
  });
  $("start").addEventListener("click", () => say("/start"));
  $("block").addEventListener("click", () =>
    attempt(() => api(`users/${current}/block`, { blocked: !users.get(current).blocked })));
  $("reply-cancel").addEventListener("click", () => { chats.get(current).forced = null; setReply(null); });
  $("commands-toggle").addEventListener("click", () => toggleCommands($("commands").hidden));
  $("people-toggle").addEventListener("click", () => openPeople(!$("people").classList.contains("open")));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { openPeople(false); toggleCommands(false); }
  });
}

bind();
listen({
  onEvent,
  onRestart: restart,
  onState: (isThere) => isThere ? notices.remove("lost")
    : notices.banner("lost", "The connection to the sandbox is lost; trying again…"),
});
await attempt(loadUsers);
const wanted = Number(new URL(location.href).searchParams.get("user"));
if (users.has(wanted)) await select(wanted);
else if (users.size === 1) await select(users.keys().next().value);
else openPeople(true);
