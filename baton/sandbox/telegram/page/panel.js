// The switches of a chat: what goes wrong on purpose, and who is in the group.

import { element } from "./dom.js";
import { api } from "./network.js";
import { groups, users } from "./store.js";

const SLOW_MS = 2000;
const RETRY_AFTER_SECONDS = 5;
const NO_LONGER_READ_MS = 60000;
const STATUSES = [["member", "Member"], ["administrator", "Administrator"], ["kicked", "Not in the group"]];

let switches = { slow_ms: 0, limits: false, privacy: true };

export function setSwitches(now) {
  switches = now;
}

export class Panel {
  constructor(node, { userId, chatId, attempt }) {
    Object.assign(this, { node, userId, chatId, attempt, isGroup: chatId < 0 });
  }

  toggle() {
    this.node.hidden = !this.node.hidden;
    return !this.node.hidden;
  }

  draw() {
    const focused = this.node.contains(document.activeElement) ? document.activeElement.dataset.switch : null;
    const user = users.get(this.userId);
    this.node.replaceChildren(...(this.isGroup ? this.#groupRows(user) : [this.#blockRow(user)]),
      ...this.#commonRows(), this.#saveButton());
    if (focused) this.node.querySelector(`[data-switch="${focused}"]`)?.focus();
  }

  #post(path, body) {
    return this.attempt(() => api(path, body));
  }

  #switch(name, label, isOn, change) {
    const box = element("input", { type: "checkbox", checked: isOn, "data-switch": name,
      onchange: (event) => change(event.currentTarget.checked) });
    return element("label", { class: "switch" }, box, element("span", {}, label));
  }

  #blockRow(user) {
    return this.#switch("block", `${user.name} has blocked the bot`, user.blocked,
      (blocked) => this.#post(`users/${user.id}/block`, { blocked }));
  }

  #commonRows() {
    const chat = groups.get(this.chatId) || users.get(this.chatId);
    return [
      this.#switch("retry", `429 for this chat: retry after ${RETRY_AFTER_SECONDS} s`, chat.retry_after > 0,
        (isOn) => this.#post(`chats/${this.chatId}/retry-after`, { seconds: isOn ? RETRY_AFTER_SECONDS : 0 })),
      this.#switch("slow", `Slow network: every answer takes ${SLOW_MS / 1000} s`, switches.slow_ms > 0,
        (isOn) => this.#post("switches", { slow_ms: isOn ? SLOW_MS : 0 })),
      this.#switch("limits", "Telegram's limits: 30/s, 1/s to a person, 20/min to a group", switches.limits,
        (limits) => this.#post("switches", { limits })),
    ];
  }

  #saveButton() {
    return element("button", { type: "button", class: "quiet-button", onclick: () => this.attempt(() => this.#save()) },
      "Save this conversation as a scenario");
  }

  // A test in Python that the sandbox writes; the browser keeps it where downloads go.
  async #save() {
    const saved = await api(`users/${this.userId}/scenario?chat_id=${this.chatId}`);
    const address = URL.createObjectURL(new Blob([saved.source], { type: "text/x-python" }));
    element("a", { href: address, download: saved.file_name }).click();
    setTimeout(() => URL.revokeObjectURL(address), NO_LONGER_READ_MS);
  }

  #groupRows(user) {
    const group = groups.get(this.chatId);
    const others = [...users.values()].filter((other) => !group.members.includes(other.id));
    const set = (userId, present) => this.#post(`groups/${group.id}/members`, { user_id: userId, present });
    const status = STATUSES.some(([key]) => key === group.bot_status) ? group.bot_status : "kicked";
    const choice = element("select", { "data-switch": "status", "aria-label": "The bot is",
      onchange: (event) => this.#post(`groups/${group.id}/bot`, { user_id: user.id, status: event.currentTarget.value }) },
      ...STATUSES.map(([key, label]) => element("option", { value: key, selected: key === status }, label)));
    const add = element("select", { "data-switch": "add", "aria-label": "Add a person to the group",
      onchange: (event) => set(Number(event.currentTarget.value), true) },
      element("option", { value: "" }, "Choose…"),
      ...others.map((other) => element("option", { value: other.id }, other.name)));
    return [
      element("div", { class: "choice" }, element("span", {}, "The bot is"), choice),
      others.length > 0 ? element("div", { class: "choice" }, element("span", {}, "Add a person"), add) : null,
      this.#switch("privacy", "Privacy mode: the bot sees commands, mentions and replies to it", switches.privacy,
        (privacy) => this.#post("switches", { privacy })),
      group.members.includes(user.id) ? element("button", { type: "button", class: "quiet-button",
        onclick: () => set(user.id, false) }, `${user.name} leaves the group`) : null,
    ].filter(Boolean);
  }
}
