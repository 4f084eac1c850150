import { FrameParser } from './frame.ts'
import { readLine, unreadableLine, type ReadLine } from './record.ts'
import type { StructuredDataMode } from './header.ts'

/** One line with its place in the body. */
export interface BodyLine {
  /**
   * Counted from 0 over frames and unreadable stretches; -1 for a loss notice in front. A sender makes that
   * notice anew for every try, so only indexes without it are the same in each copy of a frame id.
   */
  readonly index: number
  readonly read: ReadLine
}

/** A body as it came, unzipped. It takes about a twentieth of what its lines take. */
export interface RawBody {
  readonly chunks: readonly Buffer[]
  readonly size: number
}

/** Reads a body chunk by chunk. The lines are complete only after `end`. */
export class BodyReader {
  readonly lines: BodyLine[] = []
  readonly #parser: FrameParser
  /** Lines that were read as frames with a header. */
  readable = 0
  #next = 0

  constructor(mode: StructuredDataMode, receivedUs: number, longestContent: number) {
    this.#parser = new FrameParser(
      {
        frame: (content) => this.#add(readLine(content, mode, receivedUs)),
        unreadable: (bytes) => this.#add(unreadableLine(bytes, receivedUs)),
      },
      longestContent,
    )
  }

  get frames(): number {
    return this.#parser.frames
  }

  get resyncs(): number {
    return this.#parser.resyncs
  }

  /** How many lines have an index of their own. */
  get count(): number {
    return this.#next
  }

  push(chunk: Buffer): void {
    this.#parser.push(chunk)
  }

  end(): void {
    this.#parser.end()
  }

  #add(read: ReadLine): void {
    const isNotice = this.lines.length === 0 && read.lost !== null
    if (read.topic !== 'unreadable') this.readable++
    this.lines.push({ index: isNotice ? -1 : this.#next++, read })
  }
}

/** All lines of a whole body, in one go. */
export function readBody(
  body: Buffer,
  mode: StructuredDataMode,
  receivedUs: number,
): readonly BodyLine[] {
  const reader = new BodyReader(mode, receivedUs, body.length)
  reader.push(body)
  reader.end()
  return reader.lines
}
