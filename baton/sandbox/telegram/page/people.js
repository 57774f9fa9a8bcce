// The list on the left: people, groups, and the forms that add to them.

import { $, avatar, element } from "./dom.js";
import { api } from "./network.js";
import { groups, unread, users } from "./store.js";

export class People {
  #isDrawing = false;

  // `page`: attempt, open(userId, chatId, isBeside), isOpen(userId, chatId), current() -> {userId, chatId} or null.
  constructor(page) {
    this.page = page;
    this.#bind();
  }

  // At most once per frame: a program may add hundreds of people at once.
  draw() {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      $("user-list").replaceChildren(...[...users.values()].map((user) => this.#userNode(user)));
      $("group-list").replaceChildren(...[...groups.values()].map((group) => this.#groupNode(group)));
      $("groups").hidden = groups.size === 0;
      $("add-group").hidden = users.size === 0;
      this.#drawMembers();
      $("people-toggle-name").textContent = this.#currentName();
    });
  }

  show(open) {
    $("people").classList.toggle("open", open);
    $("people-toggle").setAttribute("aria-expanded", String(open));
  }

  #currentName() {
    const current = this.page.current();
    const name = users.get(current?.userId)?.name;
    if (!name) return "Choose a person";
    return current.chatId < 0 ? `${name} in ${groups.get(current.chatId)?.title}` : name;
  }

  #badge(chatId) {
    const count = unread.get(chatId);
    return count ? element("span", { class: "unread", "aria-label": `${count} new` }, String(count)) : null;
  }

  #beside(userId, chatId, label) {
    return element("button", { type: "button", class: "icon-button beside", title: "Open beside",
      "aria-label": `Open ${label} beside`, onclick: () => this.page.open(userId, chatId, true) }, "⊞");
  }

  #userNode(user) {
    const details = [user.language_code, user.blocked ? "bot blocked" : null].filter(Boolean).join(" · ");
    return element("li", { class: "entry" },
      element("button", { type: "button", class: "user",
        "aria-current": String(this.page.isOpen(user.id, user.id)), onclick: () => this.page.open(user.id, user.id) },
        avatar(user.name, user.id), element("span", {}, user.name, element("small", {}, details)), this.#badge(user.id)),
      this.#beside(user.id, user.id, user.name));
  }

  #groupNode(group) {
    const chips = group.members.map((id) => users.get(id)).filter(Boolean).map((user) => element("button",
      { type: "button", class: "chip", "aria-current": String(this.page.isOpen(user.id, group.id)),
        "aria-label": `${group.title} as ${user.name}`,
        onclick: () => this.page.open(user.id, group.id, this.page.isOpen(null, group.id)) }, `as ${user.name}`));
    return element("li", { class: "group" },
      element("div", { class: "group-name" }, avatar(group.title, group.id),
        element("span", {}, group.title, element("small", {}, group.type)), this.#badge(group.id)),
      element("div", { class: "chips" }, ...chips));
  }

  #drawMembers() {
    const chosen = new Set([...$("group-members").querySelectorAll("input:checked")].map((box) => box.value));
    $("group-members").replaceChildren(...[...users.values()].map((user) => element("label", { class: "switch" },
      element("input", { type: "checkbox", value: user.id, checked: chosen.has(String(user.id)) }),
      element("span", {}, user.name))));
  }

  async #addUser() {
    const body = { name: $("new-name").value, language_code: $("new-language").value.trim() };
    const user = await this.page.attempt(() => api("users", body));
    if (!user) return;
    $("new-name").value = "";
    users.set(user.id, user);
    await this.page.open(user.id, user.id);
  }

  async #addGroup() {
    const members = [...$("group-members").querySelectorAll("input:checked")].map((box) => Number(box.value));
    const [founder, ...others] = members;
    const body = { title: $("group-title").value, kind: $("group-kind").value, founder, members: others };
    if (founder === undefined) {
      await this.page.attempt(() => { throw new Error("Choose who is in the group: at least one person."); });
      return;
    }
    const group = await this.page.attempt(() => api("groups", body));
    if (!group) return;
    $("group-title").value = "";
    $("add-group").open = false;
    groups.set(group.id, group);
    await this.page.open(founder, group.id);
  }

  #bind() {
    $("add-user").addEventListener("submit", (event) => { event.preventDefault(); this.#addUser(); });
    $("group-form").addEventListener("submit", (event) => { event.preventDefault(); this.#addGroup(); });
    $("people-toggle").addEventListener("click", () => this.show(!$("people").classList.contains("open")));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.show(false);
    });
  }
}
