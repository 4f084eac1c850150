import type { Writable } from 'node:stream'

import { reportText } from './report.ts'

export const outputFormats = ['text', 'json', 'ndjson', 'yaml'] as const
export type OutputFormat = (typeof outputFormats)[number]

/** stdout is data, stderr is talk. A command prints through this and never writes itself. */
export interface Printer {
  readonly format: OutputFormat
  readonly isTerminal: boolean
  /** One whole answer: the document in the machine's formats (a list gives a line an element as NDJSON), `text` for people. */
  document(document: unknown, text: () => string): Promise<void>
  /** One of a stream of answers; a line of its own in every format. */
  row(document: unknown, text: () => string): Promise<void>
  /** Several of a stream, in one write. */
  rows<T>(
    items: readonly T[],
    document: (item: T) => unknown,
    text: (item: T) => string,
  ): Promise<void>
  /** Bytes as they are, for formats that the user spells out. */
  raw(bytes: string | Uint8Array): Promise<void>
  /** Progress, hints, warnings. */
  talk(line: string): void
  /** A failure after which the command goes on; JSON under the machine's formats. */
  fail(error: unknown): void
}

export interface PrinterOptions {
  readonly format: OutputFormat
  readonly isVerbose?: boolean
  readonly stdout?: Writable & { readonly isTTY?: boolean }
  readonly stderr?: Writable
}

export function openPrinter({
  format,
  isVerbose = false,
  stdout = process.stdout,
  stderr = process.stderr,
}: PrinterOptions): Printer {
  const isText = format === 'text'
  /** Waits for a slow reader, so that a stream of rows stays flat in memory. */
  const write = (chunk: string | Uint8Array): Promise<void> => {
    if (stdout.write(chunk)) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        stdout.off('drain', done)
        stdout.off('close', done)
        resolve()
      }
      stdout.once('drain', done)
      stdout.once('close', done)
    })
  }
  const printed = async (document: unknown): Promise<string> => {
    if (format === 'ndjson') {
      const list = Array.isArray(document) ? (document as readonly unknown[]) : [document]
      return list.map((one) => JSON.stringify(one, jsonSafe)).join('\n')
    }
    if (format === 'json') return JSON.stringify(document, jsonSafe, 2)
    const { stringify } = await import('yaml')
    return stringify(JSON.parse(JSON.stringify(document, jsonSafe))).trimEnd()
  }

  return {
    format,
    isTerminal: stdout.isTTY === true,
    async document(document, text) {
      const all = isText ? text() : await printed(document)
      if (all !== '') await write(`${all}\n`)
    },
    async row(document, text) {
      await write(`${isText ? text() : JSON.stringify(document, jsonSafe)}\n`)
    },
    async rows(items, document, text) {
      let chunk = ''
      for (const item of items)
        chunk += `${isText ? text(item) : JSON.stringify(document(item), jsonSafe)}\n`
      if (chunk !== '') await write(chunk)
    },
    raw: write,
    talk(line) {
      stderr.write(`${line}\n`)
    },
    fail(error) {
      stderr.write(reportText(error, { isJson: !isText, isVerbose }))
    },
  }
}

/** 64-bit numbers beyond what JSON keeps exactly are text. */
function jsonSafe(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER
    ? String(value)
    : value
}
