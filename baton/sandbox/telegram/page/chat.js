// The chat page: people and groups on the left, up to three of their chats side by side on the right.

import { Column } from "./column.js";
import { $ } from "./dom.js";
import { api, listen } from "./network.js";
import { Notices } from "./notices.js";
import { setSwitches } from "./panel.js";
import { People } from "./people.js";
import { forgetAll, groups, keep, knownChat, loadAll, unread, users } from "./store.js";

const MOST_COLUMNS = 3;
const NARROWEST_COLUMN_PX = 340;

const notices = new Notices($("banners"), $("toast"), $("alert"), $("alert-text"));
let columns = [];
let active = null;

async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    notices.banner("refused", error.message);
    return null;
  }
}

// ---- columns

function isOpen(userId, chatId) {
  return columns.some((column) => column.chatId === chatId && (userId === null || column.userId === userId));
}

function mostColumns() {
  return Math.min(MOST_COLUMNS, Math.max(1, Math.floor($("columns").clientWidth / NARROWEST_COLUMN_PX)));
}

function remember() {
  const url = new URL(location.href);
  url.searchParams.delete("user");
  if (columns.length > 0) url.searchParams.set("open", columns.map((column) => column.key).join(","));
  else url.searchParams.delete("open");
  history.replaceState(null, "", url);
  $("nobody").hidden = columns.length > 0;
  for (const column of columns) column.node.querySelector(".close").hidden = columns.length === 1;
  people.draw();
}

function focusOn(column) {
  if (active === column) return;
  active = column;
  for (const other of columns) other.node.classList.toggle("active", other === column);
  people.draw();
}

function close(column) {
  columns = columns.filter((other) => other !== column);
  column.dispose();
  if (active === column) {
    active = null;
    if (columns.length > 0) focusOn(columns[columns.length - 1]);
  }
  remember();
}

async function open(userId, chatId, isBeside = false) {
  people.show(false);
  unread.delete(chatId);
  const known = columns.find((column) => column.userId === userId && column.chatId === chatId);
  if (known) {
    focusOn(known);
    people.draw();
    return;
  }
  const column = new Column(userId, chatId, page);
  if (isBeside && columns.length < mostColumns()) {
    $("columns").append(column.node);
    columns.push(column);
  } else {
    const replaced = active || columns[0];
    if (replaced) replaced.node.before(column.node);
    else $("columns").append(column.node);
    columns = replaced ? columns.map((other) => (other === replaced ? column : other)) : [column];
    replaced?.dispose();
  }
  focusOn(column);
  remember();
  notices.remove("refused");
  await attempt(() => column.open());
  if (active === column && matchMedia("(pointer: fine)").matches) column.composer.focus();
}

function openApp(title, url) {
  $("mini-app-title").textContent = title;
  $("mini-app-url").textContent = url;
  $("mini-app-link").href = /^https?:/i.test(url) ? url : "about:blank";
  $("mini-app").showModal();
}

const page = { notices, attempt, open, isOpen, close, focusOn, openApp, current: () => active };
const people = new People(page);

// ---- events

function onEvent(event) {
  const told = event.message;
  switch (event.kind) {
    case "user": users.set(told.id, told); return redraw((column) => column.userId === told.id);
    case "group": groups.set(told.id, told); return redraw((column) => column.chatId === told.id);
    case "switches": setSwitches(told); return redraw(() => true);
    case "bot": return attempt(() => Promise.all(columns.map(async (column) => {
      await column.loadBot();
      column.drawHead();
    })));
    case "reset": return restart();
    default: return onChatEvent(event);
  }
}

function redraw(isMeant) {
  people.draw();
  for (const column of columns.filter(isMeant)) column.drawHead();
}

function onChatEvent(event) {
  const chat = knownChat(event.chat_id);
  if (chat?.pending) {
    chat.pending.push(event);
    return;
  }
  if (chat && !keep(chat, event)) return;
  const watching = columns.filter((column) => column.chatId === event.chat_id);
  for (const column of watching) column.show(event);
  const isNews = event.kind === "message" && event.message.from.is_bot;
  if (isNews && watching.length === 0) {
    unread.set(event.chat_id, (unread.get(event.chat_id) || 0) + 1);
    people.draw();
  }
}

async function restart() {
  for (const column of columns) column.dispose();
  columns = [];
  active = null;
  forgetAll();
  people.show(true);
  await attempt(load);
  remember();
}

async function load() {
  await loadAll();
  setSwitches(await api("switches"));
  people.draw();
}

// ---- start

async function openWanted() {
  const wanted = new URL(location.href).searchParams;
  const keys = (wanted.get("open") || wanted.get("user") || "").split(",").filter(Boolean);
  for (const key of keys) {
    const [userId, chatId = userId] = key.split("@").map(Number);
    const isThere = users.has(userId) && (chatId === userId || groups.get(chatId)?.members.includes(userId));
    if (isThere) await open(userId, chatId, columns.length > 0);
  }
  if (columns.length > 0) return;
  const [only] = users.keys();
  if (users.size === 1) await open(only, only);
  else people.show(true);
}

listen({
  onEvent,
  onRestart: restart,
  onState: (isThere) => isThere ? notices.remove("lost")
    : notices.banner("lost", "The connection to the sandbox is lost; trying again…"),
});
await attempt(load);
await openWanted();
