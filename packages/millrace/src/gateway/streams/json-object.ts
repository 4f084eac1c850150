/**
 * Texts as a JSON object, in bytes. Most texts need no escapes, so their bytes are taken as they are: writing a string and
 * encoding it cost twice as much.
 */
const quote = 0x22
const backslash = 0x5c
const colon = 0x3a
const comma = 0x2c
const open = 0x7b
const close = 0x7d

/** @param texts - names and contents in turns, UTF-8 */
export function jsonObjectOf(texts: readonly Buffer[]): Buffer {
  let size = 1 + texts.length
  const parts: Buffer[] = []
  for (const text of texts) {
    const part = needsEscape(text) ? escaped(text) : text
    size += part.length + 2
    parts.push(part)
  }
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (let index = 0; index < parts.length; index++) {
    bytes[at++] = index === 0 ? open : index % 2 === 0 ? comma : colon
    bytes[at++] = quote
    const part = parts[index]!
    bytes.set(part, at)
    at += part.length
    bytes[at++] = quote
  }
  bytes[at] = close
  return bytes
}

function needsEscape(text: Buffer): boolean {
  for (let index = 0; index < text.length; index++) {
    const byte = text[index]!
    if (byte < 0x20 || byte === quote || byte === backslash) return true
  }
  return false
}

function escaped(text: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(text.toString('utf8')))
  return json.subarray(1, json.length - 1)
}
