import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'

/**
 * A text file that only grows, line by line. What `append` has returned from survives the process; the system's
 * cache is trusted, so a power cut may take the end away. A last line that a kill cut short is cut off at opening.
 */
export class LineJournal {
  readonly #file: number

  private constructor(file: number) {
    this.#file = file
  }

  static open(path: string): { readonly journal: LineJournal; readonly lines: readonly string[] } {
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
    const whole = bytes.lastIndexOf(10) + 1
    const file = openSync(path, 'a')
    if (whole < bytes.length) ftruncateSync(file, whole)
    const text = bytes.toString('utf8', 0, whole)
    return {
      journal: new LineJournal(file),
      lines: text === '' ? [] : text.slice(0, -1).split('\n'),
    }
  }

  append(line: string): void {
    const bytes = Buffer.from(`${line}\n`)
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at)
  }

  close(): void {
    closeSync(this.#file)
  }
}
