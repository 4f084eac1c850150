import type { Writable } from 'node:stream'

import { systemClock, type Clock, type Timer } from '../../kit/index.ts'
import type { DevCompanion, DevProgress } from './companion.ts'

const framesPerSecond = 4
const barWidth = 32

export interface Screen extends Disposable {
  /** Shows a line above the live part: a warning must not be drawn over. */
  note(line: string): void
  /** Ends it and takes the live part away: what follows says the same. Instead of disposing of it. */
  clear(): void
}

/**
 * Shows how far the companion is. On a terminal the progress bar and the live table are drawn in place; elsewhere a
 * line comes at every tenth of the work, so that a log stays short.
 */
export function openScreen(
  companion: DevCompanion,
  {
    out,
    isTerminal,
    clock = systemClock,
  }: {
    readonly out: Writable & { readonly columns?: number }
    readonly isTerminal: boolean
    readonly clock?: Clock
  },
): Screen {
  let drawnLines = 0
  let tenths = -1
  let timer: Timer | undefined

  const erase = (): void => {
    if (drawnLines > 0) out.write(`\u001b[${drawnLines}A\u001b[0J`)
    drawnLines = 0
  }
  const draw = (): void => {
    const lines = [progressBar(companion.progress()), ...companion.live().split('\n')]
    // A line that wraps takes two on the screen, and erasing would leave the rest of it.
    const width = out.columns ?? Infinity
    erase()
    out.write(lines.map((line) => `${line.slice(0, width)}\n`).join(''))
    drawnLines = lines.length
  }
  const tell = (): void => {
    const progress = companion.progress()
    const now = progress.total === 0 ? 0 : Math.floor((progress.done / progress.total) * 10)
    if (now === tenths) return
    tenths = now
    out.write(`${progress.label}: ${progress.done} of ${progress.total}\n`)
  }
  const show = isTerminal ? draw : tell
  const tick = (): void => {
    show()
    timer = clock.after(1000 / framesPerSecond, tick, { unref: true })
  }
  tick()

  return {
    note(line) {
      if (isTerminal) erase()
      out.write(`${line}\n`)
      if (isTerminal) draw()
    },
    clear() {
      timer?.cancel()
      if (isTerminal) erase()
    },
    [Symbol.dispose]() {
      timer?.cancel()
      show()
    },
  }
}

/** `requests  [######----]  6,000 of 10,000  60 %`. */
export function progressBar({ label, done, total }: DevProgress): string {
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.floor(share * barWidth)
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled)
  const count = (number: number): string => number.toLocaleString('en-US')
  return `${label}  ${bar}  ${count(done)} of ${count(total)}  ${Math.floor(share * 100)} %`
}
