// A voice message from the microphone. The browser may ask whether the page may use it.

const KINDS = [["audio/ogg;codecs=opus", "oga"], ["audio/webm;codecs=opus", "webm"], ["audio/mp4", "m4a"]];

export class Recorder {
  #recorder = null;
  #chunks = [];
  #began = 0;

  get isRecording() {
    return this.#recorder !== null;
  }

  get seconds() {
    return (performance.now() - this.#began) / 1000;
  }

  // Throws with words for a person when there is no microphone, or none that the page may use.
  async begin() {
    if (!navigator.mediaDevices || !window.MediaRecorder) throw new Error("This browser records no sound on this page.");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (error) {
      throw new Error(`The microphone cannot be used: ${error.message}`, { cause: error });
    }
    const [mimeType] = KINDS.find(([kind]) => MediaRecorder.isTypeSupported(kind)) || [""];
    this.#chunks = [];
    this.#recorder = new MediaRecorder(stream, mimeType ? { mimeType } : {});
    this.#recorder.addEventListener("dataavailable", (event) => this.#chunks.push(event.data));
    this.#recorder.start();
    this.#began = performance.now();
  }

  // The recorded file and its length; the microphone is let go.
  async end() {
    const recorder = this.#recorder;
    const seconds = this.seconds;
    this.#recorder = null;
    const stopped = new Promise((resolve) => { recorder.addEventListener("stop", resolve, { once: true }); });
    recorder.stop();
    await stopped;
    for (const track of recorder.stream.getTracks()) track.stop();
    const type = recorder.mimeType.split(";")[0] || "audio/webm";
    const suffix = KINDS.find(([kind]) => kind.startsWith(type))?.[1] || "bin";
    return { file: new File(this.#chunks, `voice.${suffix}`, { type }), seconds };
  }
}
