import { ReplyError } from '../reply.ts'

export interface Ack {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

const mostOffset = 2n ** 63n - 1n
const mostPartition = 2n ** 31n - 1n

/** `topic:partition:offset`. @throws ReplyError */
export function parseAck(text: string): Ack {
  const parts = text.split(':')
  if (parts.length !== 3) throw new ReplyError(`CONS Cannot parse ack: '${text}'`)
  const [topic = '', partition = '', offset = ''] = parts
  return {
    topic,
    partition: Number(integer(partition, /^[+-]?\d+$/, mostPartition)),
    offset: Number(integer(offset, /^[+-]?(0[xX][\dA-Fa-f]+|0[0-7]*|[1-9]\d*)$/, mostOffset)),
  }
}

/** As Go's ParseInt takes it, in whose words it is refused. */
function integer(text: string, form: RegExp, most: bigint): bigint {
  if (!form.test(text))
    throw new ReplyError(`CONS strconv.ParseInt: parsing "${text}": invalid syntax`)
  const isNegative = text.startsWith('-')
  const digits = text.replace(/^[+-]/, '')
  const isOctal = form.source.includes('0[0-7]*') && /^0[0-7]+$/.test(digits)
  const value = BigInt(isOctal ? `0o${digits.slice(1)}` : digits)
  const limit = isNegative ? most + 1n : most
  if (value > limit)
    throw new ReplyError(`CONS strconv.ParseInt: parsing "${text}": value out of range`)
  return isNegative ? -value : value
}
