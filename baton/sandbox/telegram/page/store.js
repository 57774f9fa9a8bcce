// What the page knows of people, groups and chats.

import { api } from "./network.js";

export const users = new Map(); // by id
export const groups = new Map(); // by chat id
export const unread = new Map(); // number of messages by chat id
const chats = new Map(); // by id, those that were opened once

export function knownChat(id) {
  return chats.get(id);
}

export function titleOf(chatId, bot) {
  return groups.get(chatId)?.title || bot?.first_name || "";
}

export async function loadAll() {
  const [people, teams] = await Promise.all([api("users"), api("groups")]);
  users.clear();
  groups.clear();
  for (const user of people.users) users.set(user.id, user);
  for (const group of teams.groups) groups.set(group.id, group);
}

export function forgetAll() {
  for (const known of [users, groups, unread, chats]) known.clear();
}

export async function loadChat(id) {
  const chat = chats.get(id) || { messages: new Map(), last: 0, pending: null };
  const arriving = chat.pending = []; // what comes meanwhile is later than the answer
  chats.set(id, chat);
  try {
    const page = await api(`chats/${id}/messages?after=${chat.last}`);
    for (const event of page.events) keep(chat, event);
  } finally {
    for (const event of arriving) keep(chat, event);
    if (chat.pending === arriving) chat.pending = null;
  }
  return chat;
}

// Put an event into what is known of a chat; false when it was known already.
export function keep(chat, event) {
  if (event.id <= chat.last) return false;
  chat.last = event.id;
  const message = event.message;
  if (event.kind === "delete") chat.messages.delete(message.message_id);
  else if (["message", "edit", "reaction"].includes(event.kind)) chat.messages.set(message.message_id, message);
  return true;
}
