// Verifies receipts with @transmute/cose, which shares no code with Hansa.
//
// Reads a JSON array of cases from stdin and writes an array of answers to stdout, one for each:
//   {receipt, entry, key}             -> {root}, the signed root, or {error}
//   {receipt, oldRoot, newRoot, key}  -> {consistent}, or {error}
// Bytes are hexadecimal, a key is a JSON Web Key.

import { text } from "node:stream/consumers";
import { detached, receipt } from "@transmute/cose";

const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));

async function verify(request) {
  const verifier = detached.verifier({ resolver: { resolve: async () => request.key } });
  const message = bytes(request.receipt);
  try {
    if (request.entry === undefined) {
      const roots = { oldRoot: bytes(request.oldRoot), newRoot: bytes(request.newRoot) };
      return { consistent: await receipt.consistency.verify({ ...roots, receipt: message, verifier }) };
    }
    const entry = await receipt.leaf(bytes(request.entry));
    const root = await receipt.inclusion.verify({ entry, receipt: message, verifier });
    return { root: Buffer.from(root).toString("hex") };
  } catch (error) {
    return { error: String(error) };
  }
}

const requests = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(await Promise.all(requests.map(verify))));
