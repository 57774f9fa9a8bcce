// What the page says beside the chat: banners that stay, toasts that pass, alerts to confirm.

import { element } from "./dom.js";

const TOAST_MS = 4000;

export class Notices {
  #banners = new Map();
  #timer = null;

  constructor(bannerPlace, toast, dialog, dialogText) {
    this.bannerPlace = bannerPlace;
    this.toastNode = toast;
    this.dialog = dialog;
    this.dialogText = dialogText;
  }

  // One banner per kind; it stays until it is dismissed or removed.
  banner(kind, text) {
    this.remove(kind);
    const close = element("button", { type: "button", class: "quiet-button", "aria-label": "Dismiss" }, "✕");
    const node = element("div", { class: "banner", "data-kind": kind }, element("span", {}, text), close);
    close.addEventListener("click", () => this.remove(kind));
    this.#banners.set(kind, node);
    this.bannerPlace.append(node);
  }

  remove(kind) {
    this.#banners.get(kind)?.remove();
    this.#banners.delete(kind);
  }

  toast(text) {
    this.toastNode.textContent = text;
    this.toastNode.hidden = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { this.toastNode.hidden = true; }, TOAST_MS);
  }

  alert(text) {
    this.dialogText.textContent = text;
    if (!this.dialog.open) this.dialog.showModal();
  }
}
