import type { ReadStream } from 'node:tty'

/** What a key does, by the key; shown in the banner. */
export interface Hotkey {
  readonly key: string
  readonly about: string
  readonly run: () => void
}

export type KeySource = Pick<ReadStream, 'isTTY' | 'setRawMode' | 'on' | 'off' | 'resume' | 'pause'>

const controlC = '\u0003'

/** Listens to single keys. Without a terminal there are none. */
export function listenKeys(
  input: KeySource,
  hotkeys: readonly Hotkey[],
  onInterrupt: () => void,
): Disposable {
  if (!input.isTTY) return { [Symbol.dispose]() {} }
  const onData = (data: Buffer | string): void => {
    for (const key of data.toString()) {
      // A terminal in raw mode makes no signal of it.
      if (key === controlC) onInterrupt()
      hotkeys.find((one) => one.key === key.toLowerCase())?.run()
    }
  }
  input.setRawMode(true)
  input.on('data', onData)
  input.resume()
  return {
    [Symbol.dispose]() {
      input.off('data', onData)
      input.setRawMode(false)
      input.pause()
    },
  }
}

/** `r restart  c clear  q quit`. */
export function hotkeysText(hotkeys: readonly Hotkey[]): string {
  return hotkeys.map(({ key, about }) => `${key} ${about}`).join('   ')
}
