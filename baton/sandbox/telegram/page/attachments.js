// What a message carries beside its text: pictures, sounds, files, places, contacts.

import { element, icon, link } from "./dom.js";

const NAMES = {
  photo: "Photo", voice: "Voice message", audio: "Audio", video: "Video", animation: "Animation", document: "File",
  location: "Location", contact: "Contact",
};

const ICONS = {
  document: "M13 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V9zM13 3v6h6M9 13h6M9 17h6",
  location: "M12 21c4-4.5 7-7.7 7-11a7 7 0 0 0-14 0c0 3.3 3 6.5 7 11zM9.5 10a2.5 2.5 0 0 0 5 0 2.5 2.5 0 0 0-5 0",
  contact: "M8 8a4 4 0 0 0 8 0 4 4 0 0 0-8 0M4 21c0-4 3.5-6 8-6s8 2 8 6",
};

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function address(file) {
  return `sandbox/files/${encodeURIComponent(file.file_id)}`;
}

function kindOf(message) {
  return Object.keys(NAMES).find((kind) => message[kind]);
}

function card(kind, title, detail) {
  return element("div", { class: "document" }, icon(ICONS[kind], 30),
    element("span", {}, title, element("small", {}, detail)));
}

const NODES = {
  photo(photo, message) {
    return element("img", { class: "photo", src: address(photo[photo.length - 1]), alt: message.caption || "Photo" });
  },
  voice: (file) => element("audio", { controls: true, src: address(file), "aria-label": "Voice message" }),
  audio: (file) => element("audio", { controls: true, src: address(file), "aria-label": "Audio message" }),
  video: (file) => element("video", { class: "photo", controls: true, src: address(file), "aria-label": "Video" }),
  animation: (file) => element("video", { class: "photo", controls: true, src: address(file), "aria-label": "Animation" }),
  document: (file) => element("a", { class: "document", href: address(file), download: file.file_name || "file" },
    icon(ICONS.document, 30),
    element("span", {}, file.file_name || "File", element("small", {}, size(file.file_size)))),
  location({ latitude, longitude }) {
    const place = `${latitude.toFixed(4)}, ${longitude.toFixed(4)}`;
    const map = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=15/${latitude}/${longitude}`;
    return card("location", "Location", link(map, [place]));
  },
  contact: (contact) => card("contact", contact.first_name, contact.phone_number),
};

export function attachment(message) {
  const kind = kindOf(message);
  return kind ? NODES[kind](message[kind], message) : null;
}

export function summary(message) {
  return message.text || message.caption || NAMES[kindOf(message)] || "Message";
}
