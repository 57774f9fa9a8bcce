// One person looking at one chat: the messages, what is typed below them, and the panel of switches.

import { Composer } from "./composer.js";
import { $, initial } from "./dom.js";
import { messageNode } from "./messages.js";
import { api } from "./network.js";
import { Panel } from "./panel.js";
import { groups, knownChat, loadChat, titleOf, users } from "./store.js";

const ANSWER_MS = 15000;
const TYPING_MS = 5000;
const NEAR_THE_END_PX = 120;

export class Column {
  #answerTimer = null;
  #typingTimer = null;
  #bot = null;

  // `page` has notices, attempt, close(column), focusOn(column) and openApp(title, url).
  constructor(userId, chatId, page) {
    Object.assign(this, { userId, chatId, page });
    this.node = $("column-template").content.firstElementChild.cloneNode(true);
    this.composer = new Composer(this.node.querySelector(".composer"), {
      user: () => users.get(userId), chatId, attempt: page.attempt, openApp: page.openApp,
      send: (what, body) => this.#send(what, body),
    });
    this.panel = new Panel(this.node.querySelector(".panel"), { userId, chatId, attempt: page.attempt });
    this.actions = {
      say: (text) => this.composer.say(text),
      reply: (message) => { this.composer.reply(message); this.composer.focus(); },
      press: (messageId, data, button) => this.#press(messageId, data, button),
      openApp: page.openApp,
      copy: (text) => this.#copy(text),
    };
    this.#bind();
  }

  get key() {
    return this.userId === this.chatId ? `${this.userId}` : `${this.userId}@${this.chatId}`;
  }

  get isGroup() {
    return this.chatId < 0;
  }

  get #log() {
    return this.node.querySelector(".log");
  }

  async open() {
    await Promise.all([loadChat(this.chatId), this.loadBot()]);
    const messages = [...knownChat(this.chatId).messages.values()];
    this.#log.replaceChildren(...messages.map((message) => this.#drawn(message)));
    this.drawHead();
    this.composer.draw(messages);
    this.#scrollToEnd();
  }

  async loadBot() {
    const language = encodeURIComponent(users.get(this.userId)?.language_code || "");
    this.#bot = await api(`bot?language_code=${language}${this.isGroup ? "&group" : ""}`);
    this.composer.drawCommands(this.#bot.commands);
  }

  drawHead() {
    const user = users.get(this.userId);
    if (!user || !this.#bot) return;
    const part = (name) => this.node.querySelector(`.${name}`);
    const title = titleOf(this.chatId, this.#bot);
    this.node.setAttribute("aria-label", `${user.name} in ${title}`);
    part("chat-name").textContent = title;
    part("chat-avatar").textContent = initial(title);
    if (!this.#typingTimer) part("chat-status").textContent = this.#status(user);
    part("start-panel").hidden = this.isGroup || knownChat(this.chatId)?.messages.size > 0;
    part("bot-description").textContent = this.#bot.description || this.#bot.short_description
      || "No messages here yet.";
    this.panel.draw(this.#bot);
  }

  #status(user) {
    const state = user.blocked && !this.isGroup ? " · bot blocked" : "";
    const count = groups.get(this.chatId)?.members.length;
    const where = this.isGroup ? `${count} people` : `@${this.#bot.username}`;
    return `you are ${user.name} (${user.language_code}) · ${where}${state}`;
  }

  // An event of this chat that is new; what it says of messages is known already.
  show(event) {
    const message = event.message;
    const isFromOthers = event.kind !== "message" || message.from.id !== this.userId;
    if (isFromOthers && !["press", "block"].includes(event.kind)) this.#stopWaiting();
    if (event.kind === "action") this.#showTyping(message.action);
    else if (event.kind === "delete") this.#remove(message.message_id);
    else if (["message", "edit", "reaction"].includes(event.kind)) this.#showMessage(event, isFromOthers);
  }

  #remove(messageId) {
    this.#nodeOf(messageId)?.remove();
    this.#drawBelow();
  }

  #showMessage(event, isFromOthers) {
    const message = event.message;
    const log = this.#log;
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_THE_END_PX;
    const old = this.#nodeOf(message.message_id);
    const node = this.#drawn(message);
    if (old) this.#replaceKeepingFocus(old, node);
    else log.append(node);
    if (event.kind !== "reaction") this.#drawBelow();
    if (isFromOthers && event.kind !== "reaction") this.#showTyping(null); // what was typed is there now
    if (isAtEnd || !isFromOthers) this.#scrollToEnd();
  }

  #drawBelow() {
    const messages = [...knownChat(this.chatId).messages.values()];
    this.node.querySelector(".start-panel").hidden = this.isGroup || messages.length > 0;
    this.composer.draw(messages);
  }

  #nodeOf(id) {
    return this.#log.querySelector(`[data-id="${Number(id)}"]`);
  }

  // A pressed button's message is often edited at once: who uses the keyboard stays at the same place.
  #replaceKeepingFocus(old, node) {
    const index = [...old.querySelectorAll(".key")].indexOf(document.activeElement);
    old.replaceWith(node);
    if (index < 0) return;
    const now = node.querySelectorAll(".key");
    if (now.length > 0) now[Math.min(index, now.length - 1)].focus({ preventScroll: true });
    else this.composer.focus();
  }

  #drawn(message) {
    const node = messageNode(message, this.userId, this.actions);
    for (const picture of node.querySelectorAll("img")) picture.addEventListener("load", () => this.#scrollToEnd());
    return node;
  }

  #scrollToEnd() {
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  #showTyping(action) {
    clearTimeout(this.#typingTimer);
    this.#typingTimer = null;
    if (action) {
      const told = action === "typing" ? "is typing…" : `${action.replaceAll("_", " ")}…`;
      this.node.querySelector(".chat-status").textContent = told;
      this.#typingTimer = setTimeout(() => this.#showTyping(null), TYPING_MS);
    } else {
      this.drawHead();
    }
  }

  #silent(what) {
    this.page.notices.banner("silent", `${what} Is the bot running, and with this sandbox's address and token?`);
  }

  #waitForBot() {
    if (this.isGroup) return; // there the bot need not answer
    clearTimeout(this.#answerTimer);
    this.#answerTimer = setTimeout(() => this.#silent(`The bot has not answered for ${ANSWER_MS / 1000} s.`), ANSWER_MS);
  }

  #stopWaiting() {
    clearTimeout(this.#answerTimer);
    this.page.notices.remove("silent");
  }

  async #send(what, body) {
    this.#waitForBot();
    const sent = await this.page.attempt(() => api(`users/${this.userId}/${what}`, body));
    if (sent) this.page.notices.remove("refused");
    else this.#stopWaiting();
    return sent !== null;
  }

  async #press(messageId, data, button) {
    button.classList.add("pressing");
    button.setAttribute("aria-busy", "true");
    await this.page.attempt(async () => {
      const body = { message_id: messageId, data, chat_id: this.chatId };
      const { answer } = await api(`users/${this.userId}/press`, body);
      this.page.notices.remove("refused");
      if (answer === null) {
        this.#silent("The bot did not answer the press within 15 s.");
      } else {
        this.#stopWaiting();
        if (answer.text && answer.show_alert) this.page.notices.alert(answer.text);
        else if (answer.text) this.page.notices.toast(answer.text);
      }
    });
    button.classList.remove("pressing");
    button.removeAttribute("aria-busy");
  }

  async #copy(text) {
    await this.page.attempt(() => navigator.clipboard.writeText(text));
    this.page.notices.toast("Copied");
  }

  #bind() {
    this.node.addEventListener("focusin", () => this.page.focusOn(this));
    this.node.querySelector(".close").addEventListener("click", () => this.page.close(this));
    this.node.querySelector(".start").addEventListener("click", () => this.composer.say("/start"));
    this.node.querySelector(".panel-toggle").addEventListener("click", (event) => {
      event.currentTarget.setAttribute("aria-expanded", String(this.panel.toggle()));
    });
  }

  dispose() {
    clearTimeout(this.#answerTimer);
    clearTimeout(this.#typingTimer);
    this.node.remove();
  }
}
