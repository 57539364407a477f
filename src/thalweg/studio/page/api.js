// What the page asks its server.
const part = (run) => run.split("/").map(encodeURIComponent).join("/");

export async function ask(path, given) {
  const options = given === undefined ? {} : { method: "POST", body: JSON.stringify(given) };
  const answer = await fetch(path, options);
  const text = await answer.text();
  if (answer.headers.get("content-type")?.startsWith("application/json")) {
    const found = JSON.parse(text);
    if (!answer.ok) throw new Error(found.error || text);
    return found;
  }
  if (!answer.ok) throw new Error(text.trim() || `The studio answers ${answer.status}.`);
  return text;
}

export const runs = () => ask("api/runs");
export const studies = () => ask("api/studies");
export const importance = (study) => ask(`api/studies/${part(study)}/importance`);
export const curves = (run) => ask(`api/runs/${part(run)}/curves`);
export const races = () => ask("api/race");
export const workOf = (run) => (run === null ? "api/race" : `api/runs/${part(run)}/landscape`);
export const script = (run) => ask(`api/runs/${part(run)}/script`);
export const tag = (run, tags) => ask(`api/runs/${part(run)}/tags`, { tags });
export const trash = (run) => ask(`api/runs/${part(run)}/trash`, {});

// A socket to a run or a study: frames come in, wishes go out, each with a number by which its answer is known. A lost connection is sought again.
export class Line {
  constructor(run, onframe, onstate, kind = "runs") {
    Object.assign(this, { run, onframe, onstate, kind, waiting: new Map(), count: 0, tries: 0, over: false });
    this.open();
  }

  open() {
    const address = new URL(`api/${this.kind}/${part(this.run)}/live`, location.href);
    address.protocol = "ws:";
    address.hash = "";
    this.socket = new WebSocket(address);
    this.socket.onopen = () => { this.tries = 0; this.onstate("connected"); };
    this.socket.onmessage = (event) => this.take(JSON.parse(event.data));
    this.socket.onclose = () => this.lost();
  }

  take(message) {
    if (message.number !== undefined && message.number !== null) {
      const { done, failed } = this.waiting.get(message.number) || {};
      this.waiting.delete(message.number);
      if (message.error) failed?.(new Error(message.error));
      else done?.(message.answer);
    } else if (message.error) {
      this.over = true;
      this.onstate("refused", message.error);
    } else {
      this.onframe(message);
      if (this.socket.readyState === WebSocket.OPEN) this.socket.send('{"got":true}'); // the next one, please
    }
  }

  lost() {
    for (const { failed } of this.waiting.values()) failed(new Error("The connection was lost."));
    this.waiting.clear();
    if (this.over) return;
    this.tries += 1;
    this.onstate("lost");
    this.timer = setTimeout(() => this.open(), Math.min(500 * 2 ** this.tries, 8000));
  }

  wish(what) {
    if (this.socket.readyState !== WebSocket.OPEN) return Promise.reject(new Error("There is no connection to the fit."));
    const number = (this.count += 1);
    return new Promise((done, failed) => {
      this.waiting.set(number, { done, failed });
      this.socket.send(JSON.stringify({ ...what, number }));
    });
  }

  close() {
    this.over = true;
    clearTimeout(this.timer);
    this.socket.close();
  }
}

// Asks once at a time: who asks while an answer is under way has it asked anew after that. Errors are told.
export function onceAtATime(ask, told) {
  let busy = false, again = false;
  return async () => {
    again = true;
    if (busy) return;
    busy = true;
    try {
      while (again) {
        again = false;
        await ask();
      }
    } catch (error) {
      told.textContent = error.message;
    } finally {
      busy = false;
    }
  };
}
