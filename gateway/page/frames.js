// Takes a command's output apart, as `workflows/contract/output.py` and `socket.py` put it together.

const HEADER = 13;
const LIMIT = 65_536;

/** Read a binary message of the socket: `{command, offset, data}`; throws when it is none. */
export function unpack(buffer) {
  const view = new DataView(buffer);
  if (view.byteLength < 10 || view.getUint8(0) !== 1) throw new Error("no output message");
  const length = view.getUint8(9);
  if (view.byteLength < 10 + length) throw new Error("an output message that is cut");
  const command = new TextDecoder("ascii").decode(new Uint8Array(buffer, 10, length));
  return { command, offset: Number(view.getBigUint64(1)), data: new Uint8Array(buffer, 10 + length) };
}

/** Turns a log's bytes, cut anywhere, into frames `{channel, data}`; channel 2 is stderr. */
export class Frames {
  constructor() {
    this.pending = new Uint8Array(0);
  }

  feed(data) {
    const all = this.pending.length ? concatenated(this.pending, data) : data;
    const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
    const found = [];
    let start = 0;
    while (all.length - start >= HEADER) {
      const channel = view.getUint8(start);
      const length = view.getUint32(start + 9);
      if ((channel !== 1 && channel !== 2) || length > LIMIT) throw new Error("this is no log");
      const end = start + HEADER + length;
      if (end > all.length) break;
      found.push({ channel, data: all.subarray(start + HEADER, end) });
      start = end;
    }
    this.pending = all.slice(start);
    return found;
  }
}

function concatenated(first, second) {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
