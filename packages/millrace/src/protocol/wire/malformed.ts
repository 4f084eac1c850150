import { failure, type MillraceError } from '../../errors/index.ts'

/** Field names and list indexes from the message down to the field at fault. */
export type Trail = (string | number)[]

/**
 * What the reader and the writer throw: a reason without coordinates. The codec repeats the call
 * with the interpreter, which keeps a trail, and throws the full error; so the fast path pays
 * nothing for good error texts.
 */
export class WireFault extends Error {
  readonly position: number

  constructor(reason: string, position: number) {
    super(reason)
    this.position = position
  }
}

const windowBefore = 8
const windowSize = 24

/** `MR_PROTOCOL_MALFORMED` with offset, field path and the bytes around the offset. */
export function malformed(
  message: string,
  bytes: Buffer,
  fault: WireFault,
  trail: readonly (string | number)[] = [],
): MillraceError {
  const offset = Math.min(fault.position, bytes.length)
  const start = Math.max(0, offset - windowBefore)
  return failure('MR_PROTOCOL_MALFORMED', {
    message,
    path: pathOf(trail),
    offset,
    size: bytes.length,
    reason: fault.message,
    window: `${bytes.toString('hex', start, offset)}|${bytes.toString('hex', offset, start + windowSize)}`,
  })
}

/** `topics[2].partitions[0].records`; empty for the message itself. */
export function pathOf(trail: readonly (string | number)[]): string {
  let path = ''
  for (const step of trail) {
    if (typeof step === 'number') path += `[${step}]`
    else path += path === '' ? step : `.${step}`
  }
  return path
}
