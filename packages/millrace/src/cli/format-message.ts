import type { MessageBytes } from './envelope.ts'

export type ShownMessage = MessageBytes & {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/**
 * kcat's format letters: `%t` topic, `%p` partition, `%o` offset, `%k` key, `%s` value, `%K` and `%S` their sizes (-1 for
 * null), `%T` timestamp in epoch ms, `%h` headers as name=value, `%h{name}` the value of
 * one header (nothing when it is missing), `%%` a percent sign; `\n`, `\t`, `\r`, `\\` as in C.
 * Keys and values come out byte for byte.
 * @returns what writes one message, without a delimiter of its own
 */
export function messageFormat(format: string): (message: ShownMessage) => Buffer {
  const parts: (Buffer | ((message: ShownMessage) => Buffer | string))[] = []
  let from = 0
  for (const match of format.matchAll(/%h\{([^}]*)\}|%([tpokKsSTh%])|\\([ntr\\])/g)) {
    parts.push(Buffer.from(format.slice(from, match.index)))
    const [whole, header, letter = '', escaped = ''] = match
    if (header === undefined) parts.push(letters[letter] ?? Buffer.from(escapes[escaped] ?? whole))
    else parts.push(({ headers }) => headers.findLast(([name]) => name === header)?.[1] ?? '')
    from = match.index + whole.length
  }
  parts.push(Buffer.from(format.slice(from)))
  return (message) =>
    Buffer.concat(
      parts.map((part) => {
        if (Buffer.isBuffer(part)) return part
        const shown = part(message)
        return typeof shown === 'string' ? Buffer.from(shown) : shown
      }),
    )
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\' }

const letters: Readonly<Record<string, (message: ShownMessage) => Buffer | string>> = {
  t: ({ topic }) => topic,
  p: ({ partition }) => String(partition),
  o: ({ offset }) => String(offset),
  k: ({ key }) => key ?? '',
  s: ({ value }) => value ?? '',
  K: ({ key }) => String(key?.length ?? -1),
  S: ({ value }) => String(value?.length ?? -1),
  T: ({ timestamp }) => String(timestamp),
  h: ({ headers }) =>
    headers.map(([name, value]) => `${name}=${value?.toString() ?? 'NULL'}`).join(','),
  '%': () => '%',
}
