// What stands below a chat: the text, replies, commands, files, voice, and the bot's keyboard.

import { summary } from "./attachments.js";
import { element } from "./dom.js";
import { replyKeyboard, standingMarkup } from "./keyboards.js";
import { Recorder } from "./recorder.js";

// Degrees north and east: where people are when the browser does not say.
const SOMEWHERE = { latitude: 52.5163, longitude: 13.3777 };

export class Composer {
  #recorder = new Recorder();
  #timer = null;
  #refused = null; // the message whose forced reply the person has put away
  replyTo = null;

  // `send(what, body)` resolves to whether the sandbox took it; `attempt(work)` shows what goes wrong.
  constructor(node, { user, chatId, send, attempt, openApp }) {
    Object.assign(this, { node, user, chatId, send, attempt });
    const actions = {
      openApp,
      say: (text) => this.say(text),
      sendContact: () => this.#send("contact", {}),
      sendLocation: () => this.#sendLocation(),
    };
    this.actions = actions;
    this.#bind();
  }

  part(name) {
    return this.node.querySelector(`[data-part="${name}"]`);
  }

  focus() {
    this.part("text").focus();
  }

  draw(messages) {
    const { keyboard, forced } = standingMarkup(messages, this.user());
    const rows = keyboard?.keyboard || [];
    this.part("keyboard").hidden = rows.length === 0;
    this.part("keyboard").replaceChildren(...replyKeyboard(rows, this.actions));
    if (forced && forced.message_id !== this.#refused && !this.replyTo) this.reply(forced);
    else if (!forced && this.replyTo?.reply_markup?.force_reply) this.reply(null);
    const placeholder = (forced?.reply_markup || keyboard)?.input_field_placeholder;
    this.part("text").placeholder = placeholder || "Message";
  }

  drawCommands(commands) {
    this.part("commands").replaceChildren(...commands.map((command) => element("button",
      { type: "button", onclick: () => { this.toggle("commands", false); this.say(`/${command.command}`); } },
      `/${command.command}`, element("small", {}, command.description))));
    this.part("commands-toggle").hidden = commands.length === 0;
  }

  reply(message) {
    this.replyTo = message;
    this.part("reply-bar").hidden = !message;
    this.part("reply-text").textContent = message ? `Reply to: ${summary(message)}` : "";
    if (message && this.node.contains(document.activeElement)) this.focus();
  }

  toggle(name, open = this.part(name).hidden) {
    for (const other of ["commands", "attach"]) {
      const isOpen = other === name && open;
      this.part(other).hidden = !isOpen;
      this.part(`${other}-toggle`).setAttribute("aria-expanded", String(isOpen));
    }
  }

  async say(text) {
    return this.#send("text", { text });
  }

  async #send(what, body) {
    const answered = this.replyTo;
    if (body instanceof FormData) {
      body.append("chat_id", this.chatId);
      if (answered) body.append("reply_to", answered.message_id);
    } else {
      body.chat_id = this.chatId;
      if (answered) body.reply_to = answered.message_id;
    }
    const isSent = await this.send(what, body);
    if (isSent && this.replyTo === answered) this.reply(null);
    return isSent;
  }

  async #sendLocation() {
    this.toggle("attach", false);
    return this.#send("location", { ...SOMEWHERE });
  }

  // One file as a message, several as albums of at most ten; the text is the caption.
  async #sendFiles(files, asDocument) {
    this.toggle("attach", false);
    const caption = this.part("text").value.trim();
    for (let start = 0; start < files.length; start += 10) {
      const some = files.slice(start, start + 10);
      const form = new FormData();
      const kinds = new Set(some.map((file) => kindOf(file, asDocument)));
      form.append("kind", kinds.size === 1 ? [...kinds][0] : "document");
      if (caption && start === 0) form.append("caption", caption);
      some.forEach((file, index) => form.append(some.length > 1 ? `file${index}` : "file", file));
      if (!await this.#send(some.length > 1 ? "album" : "file", form)) return;
    }
    this.part("text").value = "";
  }

  async #toggleRecording() {
    if (!this.#recorder.isRecording) {
      await this.attempt(async () => { await this.#recorder.begin(); this.#showRecording(true); });
      return;
    }
    const { file, seconds } = await this.#recorder.end();
    this.#showRecording(false);
    const form = new FormData();
    form.append("kind", "voice");
    form.append("duration", Math.max(1, Math.round(seconds)));
    form.append("file", file);
    await this.#send("file", form);
  }

  async #cancelRecording() {
    if (this.#recorder.isRecording) await this.#recorder.end();
    this.#showRecording(false);
  }

  #showRecording(isOn) {
    clearInterval(this.#timer);
    this.part("recording").hidden = !isOn;
    this.part("record").setAttribute("aria-pressed", String(isOn));
    this.part("record").setAttribute("aria-label", isOn ? "Send the voice message" : "Record a voice message");
    if (!isOn) return;
    const show = () => { this.part("recording-time").textContent = `Recording ${Math.floor(this.#recorder.seconds)} s`; };
    show();
    this.#timer = setInterval(show, 250);
  }

  #bind() {
    const text = this.part("text");
    this.part("say").addEventListener("submit", async (event) => {
      event.preventDefault();
      if (this.#recorder.isRecording) {
        await this.#toggleRecording();
        return;
      }
      const said = text.value;
      if (said.trim() && await this.say(said) && text.value === said) text.value = "";
    });
    text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.part("say").requestSubmit();
    });
    for (const name of ["photo", "file"]) {
      const input = this.part(`${name}-input`);
      this.part(name).addEventListener("click", () => input.click());
      input.addEventListener("change", async () => {
        await this.#sendFiles([...input.files], name === "file");
        input.value = "";
      });
    }
    this.part("location").addEventListener("click", () => this.#sendLocation());
    this.part("contact").addEventListener("click", () => { this.toggle("attach", false); this.#send("contact", {}); });
    this.part("record").addEventListener("click", () => this.#toggleRecording());
    this.part("recording-cancel").addEventListener("click", () => this.#cancelRecording());
    this.part("reply-cancel").addEventListener("click", () => {
      this.#refused = this.replyTo?.message_id;
      this.reply(null);
    });
    for (const name of ["commands", "attach"]) {
      this.part(`${name}-toggle`).addEventListener("click", () => this.toggle(name));
    }
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.toggle("commands", false);
    });
  }
}

function kindOf(file, asDocument) {
  if (asDocument) return "document";
  return file.type.startsWith("image/") ? "photo" : file.type.startsWith("video/") ? "video" : "document";
}
