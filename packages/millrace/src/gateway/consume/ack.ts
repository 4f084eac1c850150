import { ReplyError } from '../reply.ts'

export interface Ack {
  readonly topic: string
  readonly partition: number
  /** The position after it, as a signed number of 64 bits: after the largest offset comes the smallest. */
  readonly next: number | bigint
}

const mostOffset = 2n ** 63n - 1n
const mostPartition = 2n ** 31n - 1n

/** `topic:partition:offset`. @throws ReplyError */
export function parseAck(text: string): Ack {
  const first = text.indexOf(':')
  const second = text.indexOf(':', first + 1)
  if (first < 0 || second < 0 || text.includes(':', second + 1))
    throw new ReplyError(`CONS Cannot parse ack: '${text}'`)
  const partition = text.slice(first + 1, second)
  const offset = text.slice(second + 1)
  return {
    topic: text.slice(0, first),
    partition: plain(partition) ?? Number(integer(partition, /^[+-]?\d+$/, mostPartition)),
    next: after(
      plain(offset) ??
        integer(offset, /^[+-]?(0[xX][\dA-Fa-f]+|0[0-7]*|[1-9]\d*)$/, mostOffset, /^0[0-7]+$/),
    ),
  }
}

function after(offset: number | bigint): number | bigint {
  if (typeof offset === 'number') return offset + 1
  const next = BigInt.asIntN(64, offset + 1n)
  const isExact = next <= Number.MAX_SAFE_INTEGER && next >= Number.MIN_SAFE_INTEGER
  return isExact ? Number(next) : next
}

/** What nearly all are: few digits, without a sign or a zero in front. */
function plain(text: string): number | undefined {
  if (text === '0') return 0
  // Nine digits fit whatever is asked for.
  if (text.length === 0 || text.length > 9) return undefined
  let value = 0
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9 || (at === 0 && digit === 0)) return undefined
    value = value * 10 + digit
  }
  return value
}

/** As Go's ParseInt takes it, in whose words it is refused. */
function integer(text: string, form: RegExp, most: bigint, octal?: RegExp): bigint {
  if (!form.test(text))
    throw new ReplyError(`CONS strconv.ParseInt: parsing "${text}": invalid syntax`)
  const isNegative = text.startsWith('-')
  const digits = text.replace(/^[+-]/, '')
  const value = BigInt(octal?.test(digits) === true ? `0o${digits.slice(1)}` : digits)
  if (value > (isNegative ? most + 1n : most))
    throw new ReplyError(`CONS strconv.ParseInt: parsing "${text}": value out of range`)
  return isNegative ? -value : value
}
