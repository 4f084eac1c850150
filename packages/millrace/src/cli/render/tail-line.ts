/** What a line of `millrace tail` shows of a message. */
export interface TailMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly value: Buffer | null
}

export const defaultMaxLength = 80

/**
 * `router 20 2627 378 {"prival":158,...`: topic, partition, offset, size of the value in bytes, value.
 * One message is always one line: control characters are escaped. The cut never splits a character.
 * @param maxLength - bytes of the value shown; 0 shows all
 */
export function tailLine(message: TailMessage, maxLength: number = defaultMaxLength): string {
  const start = `${message.topic} ${message.partition} ${message.offset}`
  if (message.value === null) return `${start} 0 NULL`
  return `${start} ${message.value.length} ${escapeControls(cutText(message.value, maxLength))}`
}

function cutText(value: Buffer, maxLength: number): string {
  if (maxLength === 0 || value.length <= maxLength) return value.toString('utf8')
  let end = maxLength
  // Bytes 10xxxxxx continue a character: step back to the one that began it.
  while (end > 0 && ((value[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return value.toString('utf8', 0, end)
}

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** C0, DEL and C1 controls as escapes; a terminal must not obey what a message says. */
function escapeControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- the controls are what this looks for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return named[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}
