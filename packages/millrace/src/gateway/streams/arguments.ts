/** Reads arguments and refuses them in Redis's words. */
import type { Command } from '../command.ts'
import { ReplyError } from '../reply.ts'

const empty = Buffer.alloc(0)

/** A null bulk is no argument that Redis knows; it counts as an empty one. */
export function bytesOf(args: Command['args']): readonly Buffer[] {
  return args.includes(null) ? args.map((one) => one ?? empty) : (args as readonly Buffer[])
}

/** @param name - in lower case, with `|` before a subcommand: `xgroup|create` */
export function wrongArity(name: string): ReplyError {
  return new ReplyError(`ERR wrong number of arguments for '${name}' command`)
}

export function syntaxError(): ReplyError {
  return new ReplyError('ERR syntax error')
}

export function unknownSubcommand(command: string, subcommand: string): ReplyError {
  return new ReplyError(`ERR unknown subcommand '${subcommand}'. Try ${command} HELP.`)
}

/** Is it this word, in any case of letters? `word` is in upper case. */
export function isWord(bytes: Buffer | undefined, word: string): boolean {
  if (bytes === undefined || bytes.length !== word.length) return false
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!
    const upper = byte >= 0x61 && byte <= 0x7a ? byte - 32 : byte
    if (upper !== word.charCodeAt(index)) return false
  }
  return true
}

/** An option's word; empty for what is too long to be one. */
export function wordOf(bytes: Buffer): string {
  return bytes.length > 16 ? '' : bytes.toString('latin1').toUpperCase()
}

const integerPattern = /^-?\d{1,16}$/

export function readInteger(bytes: Buffer): number | undefined {
  const text = bytes.length > 17 ? '' : bytes.toString('latin1')
  const value = Number(text)
  return integerPattern.test(text) && Number.isSafeInteger(value) ? value : undefined
}

/** @throws ReplyError */
export function integerOf(
  bytes: Buffer,
  text = 'ERR value is not an integer or out of range',
): number {
  const value = readInteger(bytes)
  if (value === undefined) throw new ReplyError(text)
  return value
}

/** Milliseconds of BLOCK; 0 is for ever. @throws ReplyError */
export function blockMsOf(bytes: Buffer): number {
  const value = integerOf(bytes, 'ERR timeout is not an integer or out of range')
  if (value < 0) throw new ReplyError('ERR timeout is negative')
  return value
}

/** The argument behind an option. @throws ReplyError when there is none */
export function argumentAt(args: readonly Buffer[], index: number): Buffer {
  const bytes = args[index]
  if (bytes === undefined) throw syntaxError()
  return bytes
}
